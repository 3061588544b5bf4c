import { assertExpected, type Expected } from './expected.js';

const never = { version: 0, exists: false };
const gone = { version: 4, exists: false };
const stands = { version: 3, exists: true };

const event = { type: 'Changed', schema: 1, data: {} };

describe('a conditional write', () => {
  it.each<[Expected | undefined, object, string]>([
    [undefined, stands, 'may go on'],
    [undefined, never, 'may go on'],
    ['nothing', never, 'may go on'],
    ['nothing', gone, 'may go on'],
    ['nothing', stands, 'precondition_failed'],
    ['something', stands, 'may go on'],
    ['something', gone, 'precondition_failed'],
    [[3], stands, 'may go on'],
    [[1, 3], stands, 'may go on'],
    [[2], stands, 'precondition_failed'],
    [[], stands, 'precondition_failed'],
    [[4], gone, 'precondition_failed'],
    [[0], never, 'precondition_failed'],
    ['unstated', never, 'may go on'],
    ['unstated', gone, 'may go on'],
    ['unstated', stands, 'precondition_required'],
  ])('that expects %j and finds %j: %s', (expected, found, outcome) => {
    const check = () => assertExpected(expected, found as typeof stands, { events: [event] });
    if (outcome === 'may go on') expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: outcome }));
  });

  it('that changes nothing is good whatever it expects', () => {
    expect(() => assertExpected([1], stands, { events: [] })).not.toThrow();
  });
});
