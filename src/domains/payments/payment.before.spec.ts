import type { Problem } from '../../base/shared/problem.js';
import { foldPayment } from './handler-for.js';
import {
  AuthorizePayment,
  decideAuthorize,
  decideDelivery,
  decideFailure,
  decideInterruption,
  decideStart,
  FailDelivery,
  InterruptDelivery,
  type Plan,
  RecordDelivery,
  StartDelivery,
} from './payment.decide.js';
import { initialPayment } from './payment.evolve.js';
import type { PaymentEvent } from './payment.js';
import { decideRefund, RecordRefund } from './payment.refund.js';
import { decideRequest, RequestRefund } from './refund.decide.js';
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
const GATEWAY = 'gw_one';
const HOLDS = [{ key: 'quota/demo/daily', amount: '1' }];
const RELEASED = [{ key: 'quota/demo/daily', delta: -1n }];
const settlement = { transaction: '0x01', blockNumber: '7', blockHash: '0xb7', logIndex: 3, by: 'settler' } as const;

const event = (type: PaymentEvent['type'], data: object = {}) => ({ type, schema: 1, data }) as PaymentEvent;
const authorized = (idempotent = false): PaymentEvent => {
  const terms = { amount: '100', payer: '0x9a', network: 'n' };
  const data = { tenant: 'demo', mode: 'before', holds: HOLDS, terms, idempotent, gateway: 'gw_admitting' };
  return { ...event('PaymentAuthorized', data), schema: 4 } as PaymentEvent;
};
const submitted = event('SettlementSubmitted', { transaction: '0x01', settler: '0x5e', attempt: 1 });
const settled = event('PaymentSettled', settlement);
const settlementFailed = event('PaymentSettlementFailed', { reason: 'insufficient_funds' });
const reverted = event('SettlementReverted', { transaction: '0x01', blockHash: '0xb7' });
const started = event('DeliveryStarted', { gateway: GATEWAY });
const delivered = event('RequestDelivered', { status: 200 });
const failed = event('DeliveryFailed', { reason: 'upstream_timeout' });
const interrupted = event('DeliveryInterrupted', { gateway: GATEWAY });
const refunded = (amount: string, transaction = '0x0f') =>
  event('PaymentRefunded', { amount, transaction, blockNumber: '9', blockHash: '0xb9', logIndex: 0 });
const refundReverted = (amount: string) => ({ ...refunded(amount), type: 'RefundReverted' }) as PaymentEvent;
const requested = event('RefundRequested', { refund: 'ref_1_1', amount: '100', from: 'payee', block: '8' });
const delegated = event('SettlementDelegated', { facilitator: 'https://f.example', attempt: 1, until: '9' });

const running = [authorized(), submitted, settled, started];
const runningAgain = [authorized(true), submitted, settled, started];
const statusAfter = (...events: PaymentEvent[]) => foldPayment(events).status;
const eventsOf = (plan: Plan) => (plan.events as readonly PaymentEvent[]).map(({ type }) => type);
const code = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as Problem).code;
  }
};

describe('a payment of mode before, as its events tell', () => {
  it.each([
    ['waits for its settlement', [authorized()], 'awaiting_settlement'],
    ['is still waiting when it is sent', [authorized(), submitted], 'awaiting_settlement'],
    ['is paid when it is settled', [authorized(), submitted, settled], 'paid'],
    ['is paid also when somebody else sent it', [authorized(), settled], 'paid'],
    ['fails to settle', [authorized(), submitted, settlementFailed], 'settlement_failed'],
    ['runs', running, 'delivering'],
    ['is settled when it is delivered', [...running, delivered], 'settled'],
    ['is owed back when its delivery fails', [...running, failed], 'refund_owed'],
    ['is owed back when its gateway is gone', [...running, interrupted], 'refund_owed'],
    ['may run again when its gateway is gone, if that is harmless', [...runningAgain, interrupted], 'paid'],
    ['is owed back after a part came back', [...running, failed, refunded('40')], 'refund_owed'],
    ['is closed when all came back', [...running, failed, refunded('40'), refunded('60', '0x10')], 'refunded'],
    ['is closed when all comes back before it ran', [authorized(), settled, refunded('100')], 'refunded'],
    [
      'is owed again when the refund loses its block',
      [...running, failed, refunded('100'), refundReverted('100')],
      'refund_owed',
    ],
    ['does not run any more when a refund is asked for', [authorized(), settled, requested], 'refund_owed'],
    ['waits while a facilitator settles it', [authorized(), delegated], 'awaiting_settlement'],
    ['is paid when a facilitator has settled it', [authorized(), delegated, settled], 'paid'],
    ['does not run any more when a part comes back', [authorized(), settled, refunded('1')], 'refund_owed'],
  ] as const)('%s', (_what, events, status) => {
    expect(statusAfter(...events)).toBe(status);
  });

  it.each([
    ['paid: it waits again', [authorized(), settled, reverted], 'awaiting_settlement'],
    ['running: it runs on', [...running, reverted], 'delivering'],
    ['running: delivered, it is open', [...running, reverted, delivered], 'submitted'],
    ['running: failed, nothing is owed unless it settles', [...running, reverted, failed], 'undelivered'],
    ['running: interrupted', [...running, reverted, interrupted], 'undelivered'],
    ['running: interrupted where that is harmless', [...runningAgain, reverted, interrupted], 'awaiting_settlement'],
    ['delivered: it is open', [...running, delivered, reverted], 'submitted'],
    ['delivered: settled again', [...running, delivered, reverted, settled], 'settled'],
    ['delivered: never settled again', [...running, delivered, reverted, settlementFailed], 'settlement_failed'],
    ['owed: nothing is owed now', [...running, failed, reverted], 'undelivered'],
    ['owed: sent again', [...running, failed, reverted, submitted], 'undelivered'],
    ['owed: settled again', [...running, failed, reverted, settled], 'refund_owed'],
    ['owed: never settled again', [...running, failed, reverted, settlementFailed], 'settlement_failed'],
    ['refunded: settled again', [...running, failed, refunded('100'), reverted, settled], 'refunded'],
  ] as const)('loses its block while %s', (_what, events, status) => {
    expect(statusAfter(...events)).toBe(status);
  });

  it.each([
    ['a run before the money', [authorized()], started],
    ['a delivery that nobody began', [authorized(), settled], delivered],
    ['two runs at once', running, started],
    ['a restart, which is of the other modes', [...runningAgain, interrupted], event('DeliveryRestarted')],
    ['a refund while it runs', running, refunded('1')],
    ['a refund that was asked for while it runs', running, requested],
    ['a second settlement', [authorized(), settled], settled],
  ] as const)('cannot be: %s', (_what, events, next) => {
    expect(() => statusAfter(...events, next)).toThrow(`${next.type} does not follow`);
  });

  it('owes nothing for a price of nothing', () => {
    const free = authorized();
    const data = { ...(free.data as { terms: object }), terms: { amount: '0' } };
    expect(statusAfter({ ...free, data } as PaymentEvent, settled, started, failed)).toBe('refunded');
  });
});

describe('authorizing a payment of mode before', () => {
  it('holds its quotas and no exposure', () => {
    const quotas = [{ key: 'quota/demo/daily', delta: 1n, limit: 5n, hard: true }];
    const terms = { tenant: 'demo', terms: { payer: '0x9a' } } as unknown as AuthorizePayment['terms'];
    const known = { version: 0, state: initialPayment };
    const command = new AuthorizePayment(ID, terms, [], [], known, undefined, quotas, 'before');
    const plan = decideAuthorize(initialPayment, command);
    expect(plan.holds).toEqual(quotas);
    const [first] = (plan.events as (held: boolean) => PaymentEvent[])(true);
    expect(first).toMatchObject({ type: 'PaymentAuthorized', data: { mode: 'before', holds: HOLDS } });
  });
});

describe('settling it', () => {
  it('begins before anything runs, and counts for the payer like mode after', () => {
    const state = foldPayment([authorized()]);
    expect(eventsOf(decideSubmit(state, new SubmitSettlement(ID, '0x01', '0x5e')))).toEqual(['SettlementSubmitted']);
    const plan = decideConfirm(state, new ConfirmSettlement(ID, settlement));
    expect(plan.holds).toEqual([{ key: 'probation/demo/0x9a', delta: -1n }]);
    expect(decideConfirm(foldPayment(running), new ConfirmSettlement(ID, settlement)).events).toEqual([]);
  });

  it('waits, once, for a payer that is denied', () => {
    const hold = (...events: PaymentEvent[]) =>
      eventsOf(decideHold(foldPayment(events), new HoldSettlement(ID, { reason: 'screening_denied' })));
    expect(hold(authorized())).toEqual(['SettlementHeld']);
    expect(hold(authorized(), event('SettlementHeld', { reason: 'screening_denied' }))).toEqual([]);
    expect(hold(authorized(), submitted)).toEqual([]);
    expect(hold(authorized(), delegated)).toEqual([]);
  });

  it('gives everything back when it fails, once, and keeps what was delivered for', () => {
    const fail = (...events: PaymentEvent[]) =>
      decideFail(foldPayment(events), new FailSettlement(ID, { reason: 'insufficient_funds' }, ['0x01'])).holds;
    expect(fail(authorized(), submitted)).toEqual(RELEASED);
    expect(fail(...running, delivered, reverted)).toEqual([]);
    expect(fail(...running, failed, reverted)).toEqual([]);
  });

  it.each([
    ['paid', [authorized(), settled]],
    ['running', running],
    ['delivered', [...running, delivered]],
    ['owed', [...running, failed]],
    ['refunded', [...running, failed, refunded('100')]],
  ] as const)('is taken back by the chain while %s', (_what, events) => {
    const revert = new RevertSettlement(ID, { transaction: '0x01', blockHash: '0xb7' });
    expect(eventsOf(decideRevert(foldPayment(events), revert))).toEqual(['SettlementReverted']);
    expect(decideRevert(foldPayment([...events, reverted]), revert).events).toEqual([]);
  });
});

describe('running it', () => {
  const start = (...events: PaymentEvent[]) => decideStart(foldPayment(events), new StartDelivery(ID, GATEWAY));
  const fail = (events: readonly PaymentEvent[], reason: 'upstream_timeout' | 'shutdown', gateway = GATEWAY) =>
    decideFailure(foldPayment(events), new FailDelivery(ID, { reason, kept: false, latencyMs: 9 }, gateway));
  const interrupt = (events: readonly PaymentEvent[]) =>
    decideInterruption(foldPayment(events), new InterruptDelivery(ID, GATEWAY));

  it('begins when it is paid, and at one gateway', () => {
    expect(eventsOf(start(authorized(), settled))).toEqual(['DeliveryStarted']);
    for (const events of [[authorized()], running, [...running, delivered], [...running, failed]]) {
      expect(code(() => start(...events))).toBe('delivery_in_progress');
    }
  });

  it('is recorded by that gateway alone', () => {
    const record = (gateway: string) =>
      decideDelivery(foldPayment(running), new RecordDelivery(ID, { status: 200 } as never, gateway));
    expect(eventsOf(record(GATEWAY))).toEqual(['RequestDelivered']);
    expect(code(() => record('gw_admitting'))).toBe('delivery_interrupted');
    expect(code(() => fail(running, 'upstream_timeout', 'gw_admitting'))).toBe('delivery_interrupted');
  });

  it('gives quotas back when nothing is delivered', () => {
    expect(fail(running, 'upstream_timeout')).toMatchObject({ events: [{ type: 'DeliveryFailed' }], holds: RELEASED });
    expect(interrupt(running)).toMatchObject({ events: [{ type: 'DeliveryInterrupted' }], holds: RELEASED });
  });

  it('keeps them while it may run again, also after a shutdown', () => {
    expect(interrupt(runningAgain)).toEqual({ events: [interrupted], holds: [] });
    expect(fail(runningAgain, 'shutdown')).toEqual({ events: [interrupted], holds: [] });
    expect(eventsOf(fail(running, 'shutdown'))).toEqual(['DeliveryFailed']);
    expect(eventsOf(fail(runningAgain, 'upstream_timeout'))).toEqual(['DeliveryFailed']);
  });
});

describe('refunding it', () => {
  const record = (amount: string, ...events: PaymentEvent[]) => {
    const refund = { amount, transaction: '0x0e', blockNumber: '9', blockHash: '0xb9', logIndex: 0 } as const;
    return decideRefund(foldPayment(events), new RecordRefund(ID, refund));
  };

  it('closes what is owed', () => {
    const plan = record('100', ...running, failed);
    expect(eventsOf(plan)).toEqual(['PaymentRefunded']);
    expect(plan.holds).toBeUndefined();
    expect(code(() => record('61', ...running, failed, refunded('40')))).toBe('refund_exceeds_payment');
  });

  it('gives quotas back if it has not run, and waits while it runs', () => {
    expect(record('100', authorized(), settled).holds).toEqual(RELEASED);
    const wanted = { refund: 'ref_1_1', block: 8n } as const;
    expect(decideRequest(foldPayment([authorized(), settled]), new RequestRefund(ID, wanted))).toMatchObject({
      events: [{ type: 'RefundRequested', data: { amount: '100' } }],
      holds: RELEASED,
    });
    expect(code(() => record('100', ...running))).toBe('payment_not_settled');
    expect(code(() => record('100', authorized()))).toBe('payment_not_settled');
    expect(code(() => record('100', ...running, failed, reverted))).toBe('payment_not_settled');
  });
});
