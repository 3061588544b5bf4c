import fc from 'fast-check';
import { goesAtOnce, mayWait, priorityAt } from './settlement.priority.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const urgencies = fc.integer({ min: 0, max: 7 });
const modes = fc.constantFrom('after' as const, 'async' as const);

describe('mayWait', () => {
  it('is least for those who wait for the answer, then for the urgent', () => {
    const waits = [mayWait('after', 0), mayWait('after', 7), mayWait('async', 0), mayWait('async', 7)];
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(new Set(waits).size).toBe(4);
  });

  it('takes no urgency for 3, as RFC 9218 does', () => {
    expect([mayWait('after'), mayWait('async')]).toEqual([mayWait('after', 3), mayWait('async', 3)]);
  });
});

describe('goesAtOnce', () => {
  it.each([
    ['after', undefined, true],
    ['after', 7, true],
    ['async', undefined, false],
    ['async', 3, false],
    ['async', 2, true],
  ] as const)('of mode %s with urgency %s is %s', (mode, urgency, expected) => {
    expect(goesAtOnce(mode, urgency)).toBe(expected);
  });
});

describe('priorityAt', () => {
  it('is a number that BullMQ takes, at all times', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), modes, urgencies, (now, mode, urgency) => {
        const priority = priorityAt(now, mayWait(mode, urgency));
        return Number.isInteger(priority) && priority >= 1 && priority <= 2_097_151;
      }),
    );
  });

  it('puts the more urgent of two that come together first', () => {
    expect(priorityAt(NOW, mayWait('after', 5))).toBeLessThan(priorityAt(NOW, mayWait('async', 0)));
    expect(priorityAt(NOW, mayWait('async', 1))).toBeLessThan(priorityAt(NOW, mayWait('async', 2)));
  });

  it('lets nobody who comes 25 s later go first, however urgent', () => {
    fc.assert(
      fc.property(modes, urgencies, modes, urgencies, (mode, urgency, other, more) => {
        const patient = priorityAt(NOW, mayWait(mode, urgency));
        return patient < priorityAt(NOW + 25_000, mayWait(other, more));
      }),
    );
  });
});
