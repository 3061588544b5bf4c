import type { StoredEvent } from '../../base/event-store/event.js';
import type { JsonObject } from '../../base/shared/json.js';
import { type PaymentBook, postPayment } from './payment-postings.js';
import type { Transfer } from './transfer.js';

const payer = `0x${'1'.repeat(40)}`;
const payee = `0x${'2'.repeat(40)}`;
const terms = { network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, payer, payee, amount: '700' };

type Happened = readonly [type: string, data?: JsonObject];

const authorized = (idempotent: boolean, amount = '700'): Happened => [
  'PaymentAuthorized',
  { mode: 'before', idempotent, terms: { ...terms, amount }, holds: [] },
];
const [first, submitted, settled]: Happened[] = [authorized(false), ['SettlementSubmitted'], ['PaymentSettled']];
const [delivered, failed, interrupted]: Happened[] = [
  ['RequestDelivered'],
  ['DeliveryFailed'],
  ['DeliveryInterrupted'],
];
const [reverted, settlementFailed]: Happened[] = [['SettlementReverted'], ['PaymentSettlementFailed']];
const refunded = (amount: string): Happened => ['PaymentRefunded', { amount }];
const refundReverted = (amount: string): Happened => ['RefundReverted', { amount }];
const requested: Happened = ['RefundRequested', { amount: '300' }];

function stored([type, data = {}]: Happened, index: number): StoredEvent {
  const place = { position: BigInt(index + 1), version: index + 1, stream: 'payment/pay_1', tenant: 'demo' };
  return { ...place, type, schema: 1, data, occurredAt: new Date(1_790_000_000_000 + index) };
}

/** The transfers of the last event. */
function lastOf(happened: readonly Happened[]): readonly Transfer[] {
  let state: PaymentBook | undefined;
  let last: readonly Transfer[] = [];
  for (const [index, one] of happened.entries()) {
    const posted = postPayment(state, stored(one, index));
    state = posted.state;
    last = posted.transfers;
  }
  return last;
}

function lineOf({ amount, code, credit, debit, phase }: Transfer): string {
  return `${phase} ${code} ${debit.kind} < ${credit.kind} ${amount}`;
}

const given = (...events: Happened[]) => ({
  when: (event: Happened) => ({
    posts: (...lines: string[]) => expect(lastOf([...events, event]).map(lineOf)).toEqual(lines),
  }),
});

const payout = 'posted payout wallet < settlement_in_transit 700';
const owed = 'posted refund_owed deferred_revenue < refunds_owed 700';
const paid = [first!, submitted!, settled!];

describe('a payment that is settled before its request runs', () => {
  it('is a deposit until it is settled, and a liability until it is delivered', () => {
    given().when(first!).posts('pending deposit settlement_in_transit < deferred_revenue 700');
    given(first!).when(submitted!).posts();
    given(first!, submitted!).when(settled!).posts('post deposit settlement_in_transit < deferred_revenue 700', payout);
    given(...paid)
      .when(delivered!)
      .posts('posted recognition deferred_revenue < revenue 700');
  });

  it('is nothing if it is not settled', () => {
    given(first!, submitted!)
      .when(settlementFailed!)
      .posts('void deposit settlement_in_transit < deferred_revenue 700');
  });

  it('is owed to the payer if nothing is delivered, unless it may run again', () => {
    given(...paid)
      .when(failed!)
      .posts(owed);
    given(...paid)
      .when(interrupted!)
      .posts(owed);
    given(authorized(true), submitted!, settled!).when(interrupted!).posts();
  });

  it('is owed less what was sent back', () => {
    given(...paid, failed!)
      .when(refunded('300'))
      .posts('posted refund refunds_owed < wallet 300');
    given(...paid, delivered!)
      .when(refunded('300'))
      .posts('posted refund refunds < wallet 300');
    given(...paid)
      .when(refunded('300'))
      .posts(owed, 'posted refund refunds_owed < wallet 300');
    given(...paid, refunded('300'))
      .when(refunded('400'))
      .posts('posted refund refunds_owed < wallet 400');
    given(...paid)
      .when(requested)
      .posts(owed);
    given(...paid, requested)
      .when(refunded('300'))
      .posts('posted refund refunds_owed < wallet 300');
    given(...paid, refunded('300'))
      .when(refundReverted('300'))
      .posts('posted refund_reversal wallet < refunds_owed 300');
  });

  it('comes back by the chain, and moves again', () => {
    const reversal = 'posted reversal settlement_in_transit < wallet 700';
    for (const life of [paid, [...paid, delivered!], [...paid, failed!]]) {
      given(...life)
        .when(reverted!)
        .posts(reversal);
      given(...life, reverted!)
        .when(settled!)
        .posts(payout);
    }
    given(...paid, reverted!)
      .when(failed!)
      .posts(owed);
  });

  it('is lost, as far as an answer or a refund is out, if it does not move again', () => {
    const ends = (...life: Happened[]) => given(...paid, ...life, reverted!).when(settlementFailed!);
    ends().posts('posted reversal deferred_revenue < settlement_in_transit 700');
    ends(delivered!).posts('posted loss write_off < settlement_in_transit 700');
    ends(failed!).posts('posted reversal refunds_owed < settlement_in_transit 700');
    ends(failed!, refunded('300')).posts(
      'posted reversal refunds_owed < settlement_in_transit 400',
      'posted loss write_off < settlement_in_transit 300',
    );
    ends(failed!, refunded('300'), refundReverted('300')).posts(
      'posted reversal refunds_owed < settlement_in_transit 700',
    );
    given(...paid, failed!, reverted!, settlementFailed!)
      .when(refunded('300'))
      .posts('posted refund write_off < wallet 300');
    ends(failed!, refunded('700')).posts('posted loss write_off < settlement_in_transit 700');
  });

  it('cannot be settled twice, or restarted', () => {
    expect(() => lastOf([...paid, settled!])).toThrow('PaymentSettled at 4 finds nothing pending');
    expect(() => lastOf([...paid, ['DeliveryRestarted']])).toThrow('started, not restarted');
  });
});
