import { DelegateSettlement, decideDelegate } from './delegate.decide.js';
import { OWN_SETTLERS } from './delegation.js';
import { foldPayment } from './handler-for.js';
import type { PaymentEvent } from './payment.js';
import { decideFail, FailSettlement } from './settle.decide.js';

const ID = 'pay_1';
const ONE = 'https://one.example';
const delivered = [
  { type: 'PaymentAuthorized', schema: 2, data: { mode: 'after', terms: { amount: '25' }, holds: [] } },
  { type: 'RequestDelivered', schema: 1, data: {} },
] as unknown as PaymentEvent[];

function event(type: PaymentEvent['type'], data: object): PaymentEvent {
  return { type, schema: 1, data } as unknown as PaymentEvent;
}
const delegated = (attempt: number, until: number, facilitator = ONE) =>
  event('SettlementDelegated', { facilitator, attempt, until: String(until) });

describe('DelegateSettlement', () => {
  const delegate = (given: PaymentEvent[], now: number, ended?: number) =>
    decideDelegate(foldPayment(given), new DelegateSettlement(ID, ONE, { now, until: now + 10 }, ended)).events;

  it('counts attempts, each with the time that it has', () => {
    expect(delegate(delivered, 0)).toEqual([delegated(1, 10)]);
    expect(delegate([...delivered, delegated(1, 10)], 10)).toEqual([delegated(2, 20)]);
  });

  it('asks nobody else until the time of the last attempt is over', () => {
    expect(delegate([...delivered, delegated(1, 10)], 9)).toEqual([]);
  });

  it('goes on at once for who saw the last attempt end, and for nobody who saw an earlier one', () => {
    const given = [...delivered, delegated(1, 10), delegated(2, 20)];
    expect(delegate(given, 11, 2)).toEqual([delegated(3, 21)]);
    expect(delegate(given, 11, 1)).toEqual([]);
  });

  it.each([
    ['that is settled', event('PaymentSettled', {})],
    ['that failed', event('PaymentSettlementFailed', {})],
    ['for which a transaction of ours is on its way', event('SettlementSubmitted', { transaction: '0x01' })],
  ])('leaves a payment alone %s', (_, last) => expect(delegate([...delivered, last], 0)).toEqual([]));

  it('makes it submitted, and is remembered to the end', () => {
    const given = [...delivered, delegated(1, 10)];
    expect(foldPayment(given)).toMatchObject({ status: 'submitted', transactions: [] });
    const done = [...given, event('SettlementSubmitted', { transaction: '0x01' }), event('PaymentSettled', {})];
    expect(foldPayment(done)).toMatchObject({ status: 'settled', delegations: [{ facilitator: ONE }] });
  });
});

describe('FailSettlement of what a facilitator was told', () => {
  const fail = (last: PaymentEvent, reason: 'insufficient_funds' | 'authorization_expired') =>
    decideFail(foldPayment([...delivered, last]), new FailSettlement(ID, { reason }, [])).events.length;

  it('fails nobody for want of money, since it may be broadcast later, but for what is final', () => {
    expect(fail(delegated(1, 10), 'insufficient_funds')).toBe(0);
    expect(fail(delegated(1, 10), 'authorization_expired')).toBe(1);
  });

  it('minds nothing if only the settlers here had it', () => {
    expect(fail(delegated(1, 10, OWN_SETTLERS), 'insufficient_funds')).toBe(1);
  });
});
