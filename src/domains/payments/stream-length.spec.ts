import fc from 'fast-check';
import { Problem } from '../../base/shared/problem.js';
import { DelegateSettlement, decideDelegate } from './delegate.decide.js';
import { foldPayment } from './handler-for.js';
import {
  decideDelivery,
  decideFailure,
  decideInterruption,
  decideRestart,
  decideStart,
  FailDelivery,
  InterruptDelivery,
  type Plan,
  RecordDelivery,
  RestartDelivery,
  StartDelivery,
} from './payment.decide.js';
import type { Payment, PaymentEvent, SettlementMode } from './payment.js';
import { decideRefund, RecordRefund } from './payment.refund.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideFail,
  decideHold,
  decideRevert,
  decideSubmit,
  FailSettlement,
  HoldSettlement,
  RevertSettlement,
  SubmitSettlement,
} from './settle.decide.js';

const ID = 'pay_1';
const GATEWAYS = ['gw_one', 'gw_two'];
const HASHES = ['0x01', '0x02', '0x03'] as const;
const LEASE = 100;
const REFUNDS = HASHES.map((transaction, logIndex) => {
  return { amount: '5', transaction, blockNumber: '9', blockHash: '0xb9', logIndex } as const;
});

const authorized = (mode: SettlementMode) =>
  ({
    type: 'PaymentAuthorized',
    schema: 4,
    data: {
      mode,
      gateway: GATEWAYS[0],
      idempotent: true,
      holds: [{ key: 'exposure/one', amount: '25' }],
      terms: { amount: '25', network: 'n' },
    },
  }) as unknown as PaymentEvent;

type Command = (state: Payment) => Plan;
const gateway = fc.constantFrom(...GATEWAYS);
const hash = fc.constantFrom(...HASHES);
const delivered = { status: 200, responseDigest: 'd', bytes: 1, latencyMs: 1, kept: true };
const failed = { reason: 'upstream_timeout', kept: false, latencyMs: 1 } as const;

/** Whatever may reach a payment, from any process, any number of times. */
const command: fc.Arbitrary<Command> = fc.oneof(
  gateway.map(
    (by): Command =>
      (state) =>
        decideDelivery(state, new RecordDelivery(ID, delivered, by)),
  ),
  gateway.map(
    (by): Command =>
      (state) =>
        decideFailure(state, new FailDelivery(ID, failed, by)),
  ),
  gateway.map(
    (by): Command =>
      (state) =>
        decideInterruption(state, new InterruptDelivery(ID, by)),
  ),
  gateway.map(
    (by): Command =>
      (state) =>
        decideRestart(state, new RestartDelivery(ID, by)),
  ),
  gateway.map(
    (by): Command =>
      (state) =>
        decideStart(state, new StartDelivery(ID, by)),
  ),
  fc.constant<Command>((state) => decideHold(state, new HoldSettlement(ID, { reason: 'screening_denied' }))),
  hash.map(
    (sent): Command =>
      (state) =>
        decideSubmit(state, new SubmitSettlement(ID, sent, '0x5e')),
  ),
  fc.integer({ min: 0, max: 1_000 }).map((now): Command => {
    const time = { now, until: now + LEASE };
    return (state) => decideDelegate(state, new DelegateSettlement(ID, 'https://one.example', time));
  }),
  hash.map((transaction): Command => {
    const settled = { transaction, blockNumber: '7', blockHash: '0xb7', logIndex: 3, by: 'settler' } as const;
    return (state) => decideConfirm(state, new ConfirmSettlement(ID, settled));
  }),
  fc.subarray([...HASHES]).map((judged): Command => {
    return (state) => decideFail(state, new FailSettlement(ID, { reason: 'authorization_expired' }, judged));
  }),
  hash.map((transaction): Command => {
    return (state) => decideRevert(state, new RevertSettlement(ID, { transaction, blockHash: '0xb7' }));
  }),
  fc.constantFrom(...REFUNDS).map(
    (refund): Command =>
      (state) =>
        decideRefund(state, new RecordRefund(ID, refund)),
  ),
);

function eventsAfter(mode: SettlementMode, commands: readonly Command[]): PaymentEvent[] {
  const events = [authorized(mode)];
  for (const decide of commands) {
    try {
      const plan = decide(foldPayment(events));
      events.push(...(plan.events as readonly PaymentEvent[]));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
  return events;
}

describe('the stream of a payment stays short (docs/adr/0006)', () => {
  it.each(['async', 'before'] as const)(
    'whatever is repeated in mode %s: it grows only by what happened outside',
    (mode) => {
      const anything = fc.array(command, { minLength: 50, maxLength: 300 });
      fc.assert(
        fc.property(anything, (commands) => {
          const events = eventsAfter(mode, commands);
          const count = (...types: PaymentEvent['type'][]) => events.filter(({ type }) => types.includes(type)).length;
          expect(count('PaymentAuthorized')).toBe(1);
          expect(count('RequestDelivered', 'DeliveryFailed')).toBeLessThanOrEqual(1);
          expect(count('DeliveryInterrupted')).toBeLessThanOrEqual(1 + count('DeliveryRestarted', 'DeliveryStarted'));
          expect(count('DeliveryStarted')).toBeLessThanOrEqual(1 + count('DeliveryInterrupted'));
          // Of mode `before`, one that a stranger settled, and whose block went away, is not sent yet.
          expect(count('SettlementHeld')).toBeLessThanOrEqual(1 + count('SettlementReverted'));
          expect(count('SettlementSubmitted')).toBeLessThanOrEqual(HASHES.length);
          // Each lasts until its time is over; the time of this test is over after ten of them.
          expect(count('SettlementDelegated')).toBeLessThanOrEqual(1 + 1_000 / LEASE);
          expect(count('PaymentSettled', 'PaymentSettlementFailed')).toBeLessThanOrEqual(
            1 + count('SettlementReverted'),
          );
          expect(count('PaymentRefunded')).toBeLessThanOrEqual(REFUNDS.length);
        }),
      );
    },
  );
});
