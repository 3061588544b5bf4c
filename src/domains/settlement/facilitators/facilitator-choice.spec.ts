import { type Delegation, OWN_SETTLERS } from '../../payments/delegation.js';
import { type Choice, nextStep } from './facilitator-choice.js';
import { type Health, unknownHealth } from './facilitator-health.js';

const [A, B] = ['https://a.example', 'https://b.example'] as const;
const bad: Health = { ...unknownHealth, success: 0.4 };
const open: Health = { ...unknownHealth, failures: 3, openUntil: 1_000_000 };

function to(...names: string[]): Delegation[] {
  return names.map((facilitator, index) => ({ facilitator, attempt: index + 1, until: String(10 * (index + 1)) }));
}

function choice(change: Partial<Choice> & { readonly a?: Health; readonly b?: Health } = {}): Choice {
  const { a = unknownHealth, b = unknownHealth, ...rest } = change;
  const facilitators = [
    { url: A, health: a },
    { url: B, health: b },
  ];
  return { facilitators, own: 'last', delegations: [], ...rest };
}

const ask = (url: string) => ({ kind: 'ask', url });

describe('who is asked', () => {
  it("is the tenant's first among equals, also if the second is a little faster", () => {
    expect(nextStep(choice({ a: { ...unknownHealth, latencyMs: 300 } }), 0)).toEqual(ask(A));
  });

  it('is the better one', () => expect(nextStep(choice({ a: bad }), 0)).toEqual(ask(B)));

  it('is nobody whose circuit is open', () => expect(nextStep(choice({ a: open, b: bad }), 0)).toEqual(ask(B)));

  it('is the next when the time of the last is over, or when it ended before', () => {
    expect(nextStep(choice({ delegations: to(A) }), 9)).toMatchObject({ kind: 'wait' });
    expect(nextStep(choice({ delegations: to(A) }), 10)).toEqual(ask(B));
    expect(nextStep(choice({ delegations: to(A), ended: 1 }), 5)).toEqual(ask(B));
  });

  it('is everybody once before anybody twice, however good', () => {
    expect(nextStep(choice({ b: bad, delegations: to(A) }), 20)).toEqual(ask(B));
  });
});

describe('the settlers here', () => {
  it('are the last resort', () => {
    expect(nextStep(choice({ delegations: to(A, B) }), 20)).toEqual({ kind: 'own', agreed: false });
    expect(nextStep(choice({ a: open, b: open }), 0)).toEqual({ kind: 'own', agreed: false });
  });

  it('are none if the tenant says so: it begins anew, later and later', () => {
    const given = (...names: string[]) => choice({ own: 'never', delegations: to(...names) });
    expect(nextStep(given(A, B), 5_019)).toMatchObject({ kind: 'wait' });
    expect(nextStep(given(A, B), 5_020)).toEqual(ask(A));
    expect(nextStep(given(A, B, A), 30)).toEqual(ask(B));
    expect(nextStep(given(A, B, A, B), 10_039)).toMatchObject({ kind: 'wait' });
    expect(nextStep(choice({ own: 'never', a: open, b: open }), 0)).toMatchObject({ kind: 'wait' });
  });

  it('keep what they have for its time, and give it back if they could do nothing', () => {
    const given = choice({ delegations: to(A, B, OWN_SETTLERS) });
    expect(nextStep(given, 29)).toEqual({ kind: 'own', agreed: true });
    expect(nextStep(given, 5_030)).toEqual(ask(A));
  });

  it('are all there is without facilitators', () => {
    expect(nextStep(choice({ facilitators: [], delegations: to(A) }), 10)).toEqual({ kind: 'own', agreed: false });
  });
});
