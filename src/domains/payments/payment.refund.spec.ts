import fc from 'fast-check';
import { foldPayment } from './handler-for.js';
import type { PaymentEvent } from './payment.js';
import { decideRefund, RecordRefund, refundedBy, refundsOf } from './payment.refund.js';
import type { Refund } from './refund.js';

const ID = 'pay_1';
const terms = { amount: '100', network: 'eip155:84532' };
const settled = [
  { type: 'PaymentAuthorized', schema: 1, data: { mode: 'async', terms } },
  { type: 'RequestDelivered', schema: 1, data: {} },
  {
    type: 'PaymentSettled',
    schema: 1,
    data: { transaction: '0x01', blockNumber: '7', blockHash: '0xb7', logIndex: 3 },
  },
] as unknown as PaymentEvent[];
const reverted = {
  type: 'SettlementReverted',
  schema: 1,
  data: { transaction: '0x01', blockHash: '0xb7' },
} as PaymentEvent;

const refund = (transaction: `0x${string}`, amount: string, logIndex = 0): Refund => ({
  amount,
  transaction,
  blockNumber: '9',
  blockHash: '0xb9',
  logIndex,
});
const refunded = (data: Refund): PaymentEvent => ({ type: 'PaymentRefunded', schema: 2, data });
const record = (given: readonly PaymentEvent[], data: Refund) =>
  decideRefund(foldPayment(given), new RecordRefund(ID, data));

describe('RecordRefund', () => {
  it('records a refund together with its claim on the transfer', () => {
    expect(record(settled, refund('0x02', '40', 5))).toEqual({
      events: [refunded(refund('0x02', '40', 5))],
      claim: {
        stream: 'transfer/eip155:84532/0x02/5',
        expectedVersion: 0,
        event: { type: 'TransferClaimed', schema: 1, data: { payment: ID } },
      },
    });
  });

  it('records the same transfer once, also when its transaction moved to another block', () => {
    const given = [...settled, refunded(refund('0x02', '40', 5))];
    expect(record(given, refund('0x02', '40', 5)).events).toEqual([]);
    expect(record(given, { ...refund('0x02', '40', 8), blockHash: '0xba' }).events).toEqual([]);
    expect(record([...given, reverted], refund('0x02', '40', 5)).events).toEqual([]);
  });

  it('records several, up to the amount', () => {
    const given = [...settled, refunded(refund('0x02', '40')), refunded(refund('0x02', '40', 1))];
    expect(record(given, refund('0x03', '20')).events).toHaveLength(1);
    expect(() => record(given, refund('0x03', '21'))).toThrow(
      'The refunds of a payment are never more than its amount',
    );
  });

  it.each([
    ['unknown', []],
    ['delivered', settled.slice(0, 2)],
    ['taken back', [...settled, reverted]],
  ])('refuses for a payment that is %s', (_, given) => {
    expect(() => record(given, refund('0x02', '1'))).toThrow(
      'Only a payment that was made can be refunded; this one is not, or not yet',
    );
  });

  it('never lets the sum pass the amount, whatever comes, how often and however it is settled', () => {
    const step = fc.oneof(
      fc.record({ hash: fc.nat(5), value: fc.nat(60), index: fc.nat(2) }),
      fc.constantFrom('revert' as const, 'settle' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const events = [...settled];
        for (const one of steps) {
          const { status } = foldPayment(events);
          if (one === 'revert') events.push(...(status === 'settled' ? [reverted] : []));
          else if (one === 'settle') events.push(...(status === 'submitted' ? [settled[2]!] : []));
          else events.push(...attempt(events, refund(`0x${one.hash}`, String(one.value), one.index)));
        }
        const state = foldPayment(events);
        expect(refundedBy(state)).toBeLessThanOrEqual(100n);
        const transfers = refundsOf(state).map(({ logIndex, transaction }) => `${transaction} ${logIndex}`);
        expect(new Set(transfers).size).toBe(transfers.length);
      }),
    );
  });
});

/** What is written: nothing if it is refused. */
function attempt(events: readonly PaymentEvent[], data: Refund): readonly PaymentEvent[] {
  try {
    return record(events, data).events as readonly PaymentEvent[];
  } catch {
    return [];
  }
}
