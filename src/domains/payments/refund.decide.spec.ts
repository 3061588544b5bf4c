import fc from 'fast-check';
import { Problem } from '../../base/shared/problem.js';
import { foldPayment } from './handler-for.js';
import type { Payment, PaymentEvent } from './payment.js';
import {
  decideRefund,
  decideRevertRefund,
  RecordRefund,
  RevertRefund,
  refundBookOf,
  refundedBy,
  restOf,
} from './payment.refund.js';
import {
  CancelRefund,
  decideCancel,
  decideFailRefund,
  decideRequest,
  decideSubmitRefund,
  FailRefund,
  REQUESTS_MAX,
  RequestRefund,
  SubmitRefund,
  type WantedRefund,
} from './refund.decide.js';
import { type Refund, type RefundId, type RefundRequested, refundIdOf } from './refund.js';

const ID = 'pay_1';
const PAYEE = '0xbb';
const wallet = { address: '0x4e', validBefore: 90_000n } as const;
const terms = { amount: '100', network: 'eip155:84532', payee: PAYEE };
const settled = [
  { type: 'PaymentAuthorized', schema: 2, data: { mode: 'async', terms } },
  { type: 'RequestDelivered', schema: 1, data: {} },
  { type: 'PaymentSettled', schema: 1, data: { transaction: '0x01', blockNumber: '7', blockHash: '0xb7' } },
] as unknown as PaymentEvent[];
const settlementReverted = {
  type: 'SettlementReverted',
  schema: 1,
  data: { transaction: '0x01', blockHash: '0xb7' },
} as PaymentEvent;
const REF = refundIdOf(ID, 'one');
const OTHER = refundIdOf(ID, 'other');

const asked = (change: Partial<WantedRefund> = {}): WantedRefund => ({
  refund: REF,
  amount: 40n,
  block: 8n,
  ...change,
});
const request = (given: readonly PaymentEvent[], wanted: WantedRefund) =>
  decideRequest(foldPayment(given), new RequestRefund(ID, wanted)).events as readonly PaymentEvent[];
const requested = (change: Partial<RefundRequested['data']> = {}): PaymentEvent => ({
  type: 'RefundRequested',
  schema: 1,
  data: {
    refund: REF,
    amount: '40',
    from: 'refund_wallet',
    sender: '0x4e',
    block: '8',
    validBefore: '90000',
    ...change,
  },
});
const submitted: PaymentEvent = { type: 'RefundSubmitted', schema: 1, data: { refund: REF } };
const cancelled: PaymentEvent = { type: 'RefundCancelled', schema: 1, data: { refund: REF } };
const sent = (change: Partial<Refund> = {}): Refund => ({
  ...{
    refund: REF,
    amount: '40',
    sender: '0x4e',
    transaction: '0x02',
    blockNumber: '9',
    blockHash: '0xb9',
    logIndex: 5,
  },
  ...change,
});
const byPayee = (change: Partial<Refund> = {}): Refund => {
  const { refund: _, sender: __, ...transfer } = sent(change);
  return transfer;
};
const refunded = (data: Refund): PaymentEvent => ({ type: 'PaymentRefunded', schema: 2, data });
const record = (given: readonly PaymentEvent[], refund: Refund) =>
  decideRefund(foldPayment(given), new RecordRefund(ID, refund));
const stateOf = (given: readonly PaymentEvent[]) => refundBookOf(foldPayment(given)).requests.map(({ state }) => state);

describe('RequestRefund', () => {
  it('reserves an amount of a settled payment, to be sent by the refund wallet or by the payee', () => {
    expect(request(settled, asked({ wallet, reason: 'quality' }))).toEqual([requested({ reason: 'quality' })]);
    const { data } = request(settled, asked())[0] as RefundRequested;
    expect(data).toEqual({ refund: REF, amount: '40', from: 'payee', sender: PAYEE, block: '8' });
  });

  it('takes all that is left if no amount is named', () => {
    const given = [...settled, requested(), refunded(byPayee({ amount: '25' }))];
    expect(request(given, asked({ refund: OTHER, amount: undefined }))[0]!.data).toMatchObject({ amount: '35' });
  });

  it('never reserves more than is left', () => {
    const given = [...settled, requested(), refunded(byPayee({ amount: '25' }))];
    expect(() => request(given, asked({ refund: OTHER, amount: 36n }))).toThrow('35 can be refunded');
    const all = [...settled, requested({ amount: '100' })];
    expect(() => request(all, asked({ refund: OTHER, amount: undefined }))).toThrow('0 can be refunded');
  });

  it('asks once under one id, and not for something else', () => {
    const given = [...settled, requested()];
    expect(request(given, asked({ wallet }))).toEqual([]);
    expect(request(given, asked({ wallet, amount: undefined }))).toEqual([]);
    expect(request([...given, cancelled], asked({ wallet }))).toEqual([]);
    for (const other of [{ wallet, amount: 41n }, { wallet, reason: 'fraud' as const }, {}])
      expect(() => request(given, asked(other))).toThrow('Idempotency-Key');
  });

  it.each([
    ['delivered', settled.slice(0, 2)],
    ['taken back', [...settled, settlementReverted]],
  ])('is refused for a payment that is %s', (_, given) => {
    expect(() => request(given, asked())).toThrow(
      'Only a payment that was made can be refunded; this one is not, or not yet',
    );
  });

  it('is refused for a payment that was asked about too often', () => {
    const given = Array.from({ length: REQUESTS_MAX }, (_, n) => {
      const refund = refundIdOf(ID, `${n}`);
      return [requested({ refund }), { ...cancelled, data: { refund } } as PaymentEvent];
    });
    expect(() => request([...settled, ...given.flat()], asked())).toThrow('as many refund requests');
  });
});

describe('SubmitRefund, CancelRefund and FailRefund', () => {
  const submit = (given: readonly PaymentEvent[]) =>
    decideSubmitRefund(foldPayment(given), new SubmitRefund(ID, REF)).events;
  const cancel = (given: readonly PaymentEvent[]) => decideCancel(foldPayment(given), new CancelRefund(ID, REF)).events;
  const fail = (given: readonly PaymentEvent[], reason: 'rejected_by_token' | 'expired') =>
    decideFailRefund(foldPayment(given), new FailRefund(ID, { refund: REF, reason })).events;
  const given = [...settled, requested()];

  it('submit once, and nothing that was cancelled or whose payment is not on the chain', () => {
    expect(submit(given)).toEqual([submitted]);
    expect(submit([...given, submitted])).toEqual([]);
    expect(submit([...given, cancelled])).toEqual([]);
    expect(submit([...given, settlementReverted])).toEqual([]);
  });

  it('cancel what nobody can have sent, which frees the amount', () => {
    expect(cancel(given)).toEqual([cancelled]);
    expect(cancel([...given, cancelled])).toEqual([]);
    expect(() => cancel([...given, submitted])).toThrow('it is sent');
    expect(() => cancel([...given, submitted, refunded(sent())])).toThrow('it is refunded');
    expect(() => cancel(settled)).toThrow('No such resource');
    expect(restOf(foldPayment([...given, cancelled]))).toBe(100n);
  });

  it('fail by a refusal only while the signature is unknown, by the end of the window also later', () => {
    expect(fail(given, 'rejected_by_token')).toHaveLength(1);
    expect(fail([...given, submitted], 'rejected_by_token')).toEqual([]);
    expect(fail([...given, submitted], 'expired')).toHaveLength(1);
    expect(fail([...given, submitted, refunded(sent())], 'expired')).toEqual([]);
    expect(restOf(foldPayment([...given, ...(fail(given, 'expired') as PaymentEvent[])]))).toBe(100n);
  });
});

describe('RecordRefund of what was asked for', () => {
  it('fulfils the request by its id, also once the payment itself was taken back', () => {
    const given = [...settled, requested(), submitted];
    expect(record(given, sent()).events).toEqual([refunded(sent())]);
    expect(record([...given, settlementReverted], sent()).events).toEqual([refunded(sent())]);
    expect(stateOf([...given, refunded(sent())])).toEqual(['refunded']);
  });

  it('fulfils the oldest request to the payee of that very amount', () => {
    const given = [
      ...settled,
      requested({ amount: '30', from: 'payee' }),
      requested({ from: 'payee', refund: OTHER }),
      requested({ amount: '10', refund: refundIdOf(ID, 'wallet') }),
    ];
    expect(record(given, byPayee()).events).toEqual([refunded({ ...byPayee(), refund: OTHER })]);
    // Nobody asked for 20, and 20 is all that is left.
    expect(record(given, byPayee({ amount: '20' })).events).toEqual([refunded(byPayee({ amount: '20' }))]);
    expect(() => record(given, byPayee({ amount: '21' }))).toThrow('never more than its amount');
    // A transfer of before the request cannot have been made for it.
    expect(() => record(given, byPayee({ blockNumber: '8' }))).toThrow('never more than its amount');
  });

  it('takes a transfer that a reorganization moved, without claiming it anew', () => {
    const given = [...settled, requested(), submitted, refunded(sent())];
    const back = decideRevertRefund(foldPayment(given), new RevertRefund(ID, sent()));
    expect(back.events).toEqual([{ type: 'RefundReverted', schema: 1, data: sent() }]);
    const after = [...given, ...(back.events as PaymentEvent[])];
    expect(stateOf(after)).toEqual(['sent']);
    expect(decideRevertRefund(foldPayment(after), new RevertRefund(ID, sent())).events).toEqual([]);
    const moved = sent({ blockHash: '0xba', blockNumber: '10' });
    expect(record(after, moved)).toEqual({ events: [refunded(moved)] });
    expect(record(after, sent({ blockHash: '0xba', logIndex: 6 })).claim).toMatchObject({ expectedVersion: 0 });
  });

  it('gives the amount of an unasked one free when it is taken back, and asks the payee again', () => {
    const unasked = [...settled, refunded(byPayee())];
    const back = (given: readonly PaymentEvent[], refund: Refund) =>
      decideRevertRefund(foldPayment(given), new RevertRefund(ID, refund)).events as PaymentEvent[];
    expect(restOf(foldPayment([...unasked, ...back(unasked, byPayee())]))).toBe(100n);
    const found = refunded({ ...byPayee(), refund: REF });
    const fulfilled = [...settled, requested({ from: 'payee' }), found];
    expect(stateOf([...fulfilled, ...back(fulfilled, byPayee())])).toEqual(['requested']);
  });
});

type Step = (events: readonly PaymentEvent[]) => readonly PaymentEvent[];
const decided =
  (decide: (state: Payment) => { readonly events: unknown }): Step =>
  (events) => {
    try {
      return decide(foldPayment(events)).events as readonly PaymentEvent[];
    } catch (error) {
      if (error instanceof Problem) return [];
      throw error;
    }
  };
const refundId = fc.nat(4).map((n): RefundId => refundIdOf(ID, `${n}`));
const transfer = fc
  .record({
    refund: refundId,
    amount: fc.integer({ min: 1, max: 60 }),
    hash: fc.nat(6),
    block: fc.integer({ min: 7, max: 12 }),
  })
  .map(({ amount, block, hash, refund }) => ({
    ...sent({
      refund,
      amount: `${amount}`,
      transaction: `0x${hash}`,
      blockNumber: `${block}`,
      blockHash: `0xb${block}`,
    }),
  }));

/** Whatever may reach a payment, in any order. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      refund: refundId,
      amount: fc.option(fc.bigInt({ min: 1n, max: 60n }), { nil: undefined }),
      own: fc.boolean(),
    })
    .map(({ amount, own, refund }) =>
      decided((state) =>
        decideRequest(state, new RequestRefund(ID, asked({ refund, amount, wallet: own ? wallet : undefined }))),
      ),
    ),
  refundId.map((refund) => decided((state) => decideSubmitRefund(state, new SubmitRefund(ID, refund)))),
  refundId.map((refund) => decided((state) => decideCancel(state, new CancelRefund(ID, refund)))),
  refundId.map((refund) =>
    decided((state) => decideFailRefund(state, new FailRefund(ID, { refund, reason: 'expired' }))),
  ),
  transfer.map((refund) => decided((state) => decideRefund(state, new RecordRefund(ID, refund)))),
  transfer.map((refund) => decided((state) => decideRefund(state, new RecordRefund(ID, byPayee(refund))))),
  transfer.map((refund) => decided((state) => decideRevertRefund(state, new RevertRefund(ID, refund)))),
  fc.constant<Step>((events) => (foldPayment(events).status === 'settled' ? [settlementReverted] : [])),
  fc.constant<Step>((events) => (foldPayment(events).status === 'submitted' ? [settled[2]!] : [])),
);

describe('the refunds of a payment', () => {
  it('and what is asked for are never more than its amount, whatever comes and in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const events = [...settled];
        for (const next of steps) {
          events.push(...next(events));
          const state = foldPayment(events);
          expect(restOf(state)).toBeGreaterThanOrEqual(0n);
          expect(refundedBy(state)).toBeLessThanOrEqual(100n);
        }
      }),
    );
  });
});
