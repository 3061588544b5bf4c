import fc from 'fast-check';
import { batchGas } from '../../base/chain/gas.js';
import { BATCH_FULL, BATCH_MAX, batchPlan, MARGIN_MS, WAIT_MAX_MS, type Waiting, waitFor } from './batch-plan.js';

const NOW = 1_000_000;
const USUAL = { now: 10n, usual: 10n };

function patient(since = NOW, lapsesAt = NOW + 3_600_000): Waiting {
  return { urgent: false, since, lapsesAt };
}

describe('batchPlan', () => {
  it('lets a payment that nobody waits for wait a second for company', () => {
    expect(batchPlan([patient()], NOW, USUAL)).toEqual({ send: [], waitMs: 1_000 });
    expect(batchPlan([patient()], NOW + 999, USUAL)).toEqual({ send: [], waitMs: 1 });
    expect(batchPlan([patient()], NOW + 1_000, USUAL).send).toHaveLength(1);
  });

  it('sends a single urgent payment at once, and everybody with it', () => {
    const urgent = { ...patient(), urgent: true };
    expect(batchPlan([urgent], NOW, USUAL).send).toEqual([urgent]);
    expect(batchPlan([patient(), urgent], NOW, USUAL).send).toEqual([urgent, patient()]);
  });

  it('sends a full batch at once', () => {
    const crowd = (count: number) => Array.from({ length: count }, () => patient());
    expect(batchPlan(crowd(BATCH_FULL - 1), NOW, USUAL).send).toEqual([]);
    expect(batchPlan(crowd(BATCH_FULL), NOW, USUAL).send).toHaveLength(BATCH_FULL);
    expect(batchPlan(crowd(500), NOW, USUAL).send).toHaveLength(BATCH_MAX);
  });

  it('never sends more than one transaction may need gas for, also with a payer with code', () => {
    expect(() => batchGas(BATCH_MAX - 1, true)).not.toThrow();
  });

  it('waits longer while gas is dear', () => {
    expect(batchPlan([patient()], NOW, { now: 15n, usual: 10n }).waitMs).toBe(6_000);
    expect(batchPlan([patient()], NOW, { now: 20n, usual: 10n }).waitMs).toBe(11_000);
    expect(batchPlan([patient()], NOW, { now: 1_000n, usual: 10n }).waitMs).toBe(WAIT_MAX_MS);
    expect(batchPlan([patient()], NOW, { now: 5n, usual: 0n }).waitMs).toBe(1_000);
  });

  it('does not wait into the last seconds of an authorization, however dear gas is', () => {
    const soon = patient(NOW, NOW + MARGIN_MS + 200);
    expect(batchPlan([patient(), soon], NOW, { now: 90n, usual: 10n })).toEqual({ send: [], waitMs: 200 });
    expect(batchPlan([patient(), soon], NOW + 200, { now: 90n, usual: 10n }).send).toHaveLength(2);
  });

  const waiting = fc.array(
    fc.record({
      urgent: fc.boolean(),
      since: fc.integer({ min: NOW - 60_000, max: NOW }),
      lapsesAt: fc.integer({ min: NOW - 1_000, max: NOW + 120_000 }),
    }),
    { maxLength: 150 },
  );
  const patients = waiting.map((all) => all.map((one) => ({ ...one, urgent: false, since: NOW })));
  const wei = fc.bigInt({ min: 0n, max: 10n ** 12n });
  const prices = fc.record({ now: wei, usual: wei });

  it('sends some of those that wait, each once, and no more than fit', () => {
    fc.assert(
      fc.property(waiting, prices, (all, price) => {
        const { send } = batchPlan(all, NOW, price);
        expect(send.length).toBeLessThanOrEqual(BATCH_MAX);
        expect(new Set(send).size).toBe(send.length);
        expect(send.every((one) => all.includes(one))).toBe(true);
      }),
    );
  });

  it('says when it will send, and does', () => {
    fc.assert(
      fc.property(patients, prices, (all, price) => {
        const { send, waitMs } = batchPlan(all, NOW, price);
        if (all.length === 0) return expect({ send, waitMs }).toEqual({ send: [], waitMs: 0 });
        expect(send.length > 0).toBe(waitMs === 0);
        expect(waitMs).toBeLessThanOrEqual(WAIT_MAX_MS);
        expect(batchPlan(all, NOW + waitMs, price).send.length).toBeGreaterThan(0);
      }),
    );
  });

  it('leaves nobody out for somebody less urgent, or as urgent and younger', () => {
    fc.assert(
      fc.property(waiting, prices, (all, price) => {
        const { send } = batchPlan(all, NOW, price);
        if (send.length === 0) return;
        const left = all.filter((one) => !send.includes(one));
        for (const out of left)
          for (const { since, urgent } of send) expect(urgent === out.urgent ? since <= out.since : urgent).toBe(true);
      }),
    );
  });

  it('never waits when somebody is urgent', () => {
    fc.assert(
      fc.property(waiting, prices, (all, price) => {
        if (all.some(({ urgent }) => urgent)) expect(batchPlan(all, NOW, price).send[0]!.urgent).toBe(true);
      }),
    );
  });

  it('never waits less for a higher price', () => {
    fc.assert(
      fc.property(wei, wei, wei, (a, b, usual) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(waitFor({ now: low, usual })).toBeLessThanOrEqual(waitFor({ now: high, usual }));
      }),
    );
  });
});
