import { encodeFunctionResult, parseAbi } from 'viem';
import type { SettlementItem } from '../../src/base/chain/chain.js';
import type { Address } from '../../src/base/shared/hex.js';
import { foldPayment } from '../../src/domains/payments/handler-for.js';
import type { Payment, PaymentEvent, PaymentId } from '../../src/domains/payments/payment.js';
import { requestOf } from '../../src/domains/payments/payment.refund.js';
import {
  CancelRefund,
  decideCancel,
  decideFailRefund,
  decideSubmitRefund,
  FailRefund,
  SubmitRefund,
} from '../../src/domains/payments/refund.decide.js';
import { type RefundId, refundIdOf } from '../../src/domains/payments/refund.js';
import { RefundSender, type RefundSenderDeps } from '../../src/domains/settlement/refunds/refund.sender.js';
import { FakeBook } from './fake-book.js';
import { log } from './support.js';

const WALLET: Address = `0x${'4e'.repeat(20)}`;
const ASSET: Address = `0x${'cc'.repeat(20)}`;
const network = 'eip155:1';
const balanceAbi = parseAbi(['function balanceOf(address) view returns (uint256)']);
const reverted = {
  type: 'SettlementReverted',
  schema: 1,
  data: { transaction: '0x01', blockHash: '0xb7' },
} as PaymentEvent;

/** A refund wallet, what was asked of it, and a chain on which nothing is ever mined by itself. */
class Counter {
  readonly streams = new Map<PaymentId, PaymentEvent[]>();
  readonly book = new FakeBook();
  readonly refunds: { id: RefundId; payment: PaymentId }[] = [];
  /** Ids by the batches that were signed. */
  readonly signed: RefundId[][] = [];
  readonly denied = new Set<Address>();
  balance = 1_000n;
  now = 1_000_000;
  chainTime = 1_000n;
  screened: 'answers' | 'is silent' = 'answers';
  /** What the token says of the signed transfer. */
  refusal: string | undefined;

  ask(n: number, amount: bigint): RefundId {
    const payment: PaymentId = `pay_${n}`;
    const terms = { network, asset: ASSET, payer: payerOf(n), payee: '0xbb', amount: '1000' };
    const id = refundIdOf(payment, 'one');
    const wanted = { refund: id, amount: String(amount), from: 'refund_wallet', sender: WALLET, block: '8' };
    this.streams.set(payment, [
      { type: 'PaymentAuthorized', schema: 3, data: { tenant: 'shop', mode: 'after', terms, holds: [] } },
      { type: 'RequestDelivered', schema: 1, data: {} },
      { type: 'PaymentSettled', schema: 1, data: { transaction: '0x01', blockNumber: '7', blockHash: '0xb7' } },
      { type: 'RefundRequested', schema: 1, data: { ...wanted, validBefore: '5000' } },
    ] as unknown as PaymentEvent[]);
    this.refunds.push({ id, payment });
    return id;
  }

  stateOf(n: number) {
    return requestOf(this.payment(`pay_${n}`), this.refunds.find(({ payment }) => payment === `pay_${n}`)!.id);
  }

  /** The transactions are in blocks, and moved nothing. */
  mineInVain(): void {
    for (const row of this.book.rows) Object.assign(row, { status: 'mined' });
  }

  private payment(id: PaymentId) {
    return foldPayment(this.streams.get(id)!);
  }

  sender(limit?: number): RefundSender {
    const { book } = this;
    const load = async (id: PaymentId) => ({ version: 1, state: this.payment(id) });
    const deps = {
      ...{ book, load, log, clock: () => this.now, lanes: { choose: async () => '0x5e' } },
      pool: { query: async (_: string, [, , most, after]: [string, string, number, string]) => this.rows(most, after) },
      client: {
        request: async ({ params: [{ data }] }: { params: [{ data: string }] }) =>
          data.startsWith('0x70a08231')
            ? encodeFunctionResult({ abi: balanceAbi, functionName: 'balanceOf', result: this.balance })
            : '0x',
      },
      chain: {
        network,
        head: async () => ({ number: 9n, time: this.chainTime, baseFee: 0n }),
        minedNonce: async () => 0,
        refusalOf: async () => this.refusal,
        authorizationOutcome: async () => ({ kind: 'unused' }),
        sign: async (_: unknown, items: readonly SettlementItem[], slot: object) => {
          const ids = items.map(({ signature }) => signature as unknown as RefundId);
          this.signed.push(ids);
          return { ...slot, hash: `0x${this.signed.length}`, raw: '0x' };
        },
      },
      tokens: new Map([[ASSET, { network, address: ASSET, decimals: 6 }]]),
      wallets: {
        has: () => true,
        sign: async (_: unknown, { refund }: { refund: RefundId }) => ({ signature: refund }),
      },
      sender: { publish: async () => new Map() },
      screen: async (payer: Address) => {
        if (this.screened === 'is silent') throw new Error('away');
        return this.denied.has(payer) ? 'denied' : 'clear';
      },
      executeRefund: async (command: CancelRefund | SubmitRefund | FailRefund) => {
        const stream = this.streams.get(command.paymentId)!;
        const state = this.payment(command.paymentId);
        const { events } = decide(state, command);
        stream.push(...(events as PaymentEvent[]));
        return { state: this.payment(command.paymentId) };
      },
    };
    return new RefundSender(deps as unknown as RefundSenderDeps, limit);
  }

  private rows(most: number, after: string) {
    const open = this.refunds.map((row, n) => ({ ...row, position: String(n + 1) }));
    const rows = open.filter(({ payment, position }) => {
      const state = requestOf(this.payment(payment), refundIdOf(payment, 'one'))!.state;
      return Number(position) > Number(after) && ['requested', 'sent'].includes(state);
    });
    return { rows: rows.slice(0, most) };
  }
}

function decide(state: Payment, command: CancelRefund | SubmitRefund | FailRefund) {
  if (command instanceof CancelRefund) return decideCancel(state, command);
  return command instanceof FailRefund ? decideFailRefund(state, command) : decideSubmitRefund(state, command);
}

const payerOf = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`;

let counter: Counter;
beforeEach(() => {
  counter = new Counter();
});

describe('a refund to a payer who is denied by screening', () => {
  it('waits, and holds up nobody else', async () => {
    const [first, second] = [counter.ask(1, 10n), counter.ask(2, 10n)];
    counter.denied.add(payerOf(1));
    const sender = counter.sender();
    await sender.step();
    expect(counter.signed).toEqual([[second]]);
    expect(counter.stateOf(1)).toMatchObject({ state: 'requested' });
    counter.denied.clear();
    counter.now += 2_000;
    await sender.step();
    expect(counter.signed).toEqual([[second], [first]]);
  });

  it('waits also if it was sent before', async () => {
    counter.ask(1, 10n);
    await counter.sender().step();
    counter.mineInVain();
    counter.denied.add(payerOf(1));
    await counter.sender().step();
    expect(counter.signed).toHaveLength(1);
  });

  it('waits while nobody can say', async () => {
    counter.ask(1, 10n);
    counter.screened = 'is silent';
    const sender = counter.sender();
    await sender.step();
    expect(counter.signed).toEqual([]);
    counter.screened = 'answers';
    await sender.step();
    expect(counter.signed).toHaveLength(1);
  });
});

it('is not sent again while its payment is not on the chain any more', async () => {
  const refund = counter.ask(1, 10n);
  await counter.sender().step();
  counter.mineInVain();
  counter.streams.get('pay_1')!.push(reverted);
  await counter.sender().step();
  expect(counter.signed).toEqual([[refund]]);
});

describe('a refund whose payment failed after a reorganization', () => {
  const failed = [reverted, { type: 'PaymentSettlementFailed', schema: 1, data: { reason: 'authorization_expired' } }];

  it('is cancelled if nobody can have sent it', async () => {
    counter.ask(1, 10n);
    counter.streams.get('pay_1')!.push(...(failed as PaymentEvent[]));
    await counter.sender().step();
    expect([counter.stateOf(1)?.state, counter.signed]).toEqual(['cancelled', []]);
  });

  it('is left to the chain if somebody can', async () => {
    counter.ask(1, 10n);
    await counter.sender().step();
    counter.mineInVain();
    counter.streams.get('pay_1')!.push(...(failed as PaymentEvent[]));
    await counter.sender().step();
    expect([counter.stateOf(1)?.state, counter.signed.length]).toEqual(['sent', 1]);
  });
});

describe('a refund that the token does not take as it would be sent', () => {
  it('is not sent, is tried after longer and longer pauses, and fails with the reason', async () => {
    counter.ask(1, 10n);
    counter.refusal = 'FiatTokenV2: invalid signature';
    const sender = counter.sender();
    await sender.step();
    expect(counter.stateOf(1)).toMatchObject({ state: 'sent' });
    counter.refusal = undefined;
    counter.now += 1_999;
    await sender.step();
    expect(counter.signed).toEqual([]);
    counter.chainTime = 5_600n;
    await sender.step();
    expect(counter.stateOf(1)).toMatchObject({
      state: 'failed',
      failed: { reason: 'expired', detail: 'FiatTokenV2: invalid signature' },
    });
  });

  it('is tried again at once when what passes is over', async () => {
    counter.ask(1, 10n);
    counter.refusal = 'Pausable: paused';
    const sender = counter.sender();
    await sender.step();
    expect(counter.signed).toEqual([]);
    counter.refusal = undefined;
    await sender.step();
    expect(counter.signed).toHaveLength(1);
  });
});

it('is not signed again at once if its transaction moved nothing', async () => {
  counter.ask(1, 10n);
  const sender = counter.sender();
  for (const [ms, transactions] of [
    [0, 1],
    [1_999, 1],
    [1, 2],
    [3_999, 2],
    [1, 3],
  ] as const) {
    counter.now += ms;
    await sender.step();
    counter.mineInVain();
    expect(counter.signed).toHaveLength(transactions);
  }
});

describe('a refund that is more than the wallet has', () => {
  it('holds up no smaller one behind it', async () => {
    const [, small, least] = [counter.ask(1, 900n), counter.ask(2, 60n), counter.ask(3, 30n)];
    counter.balance = 100n;
    await counter.sender().step();
    expect(counter.signed).toEqual([[small, least]]);
  });

  it('holds up none behind as many as a turn looks at', async () => {
    counter.ask(1, 900n);
    counter.ask(2, 900n);
    const small = counter.ask(3, 10n);
    counter.balance = 100n;
    const sender = counter.sender(2);
    await sender.step();
    await sender.step();
    expect(counter.signed).toEqual([[small]]);
    counter.balance = 1_000n;
    await sender.step();
    expect(counter.signed[1]).toEqual([refundIdOf('pay_1', 'one')]);
  });
});
