import { randomUUID } from 'node:crypto';
import { parseAbiItem } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { loadPayment } from '../../src/domains/payments/handler-for.js';
import { type PaymentEvent, type PaymentId, paymentStream } from '../../src/domains/payments/payment.js';
import { refundsOf, requestOf } from '../../src/domains/payments/payment.refund.js';
import { decideRequest, RequestRefund, type WantedRefund } from '../../src/domains/payments/refund.decide.js';
import { type RefundId, refundIdOf } from '../../src/domains/payments/refund.js';
import { addressOf, type LocalChain, randomKey } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { mintUsdc } from '../support/usdc.js';
import { allAre, type Desk, deliver, newPayer, startWorker, type WorkerOptions } from './support.js';

const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
const DAY_SECONDS = 86_400n;

export interface Sold {
  readonly id: PaymentId;
  readonly payer: Address;
}

/** A refund wallet with a worker that has its key. */
export class RefundDesk {
  readonly key: Hex = randomKey();
  readonly wallet = addressOf(privateKeyToAccount(this.key));

  constructor(
    readonly desk: Desk,
    readonly chain: LocalChain,
  ) {}

  async fill(amount: bigint): Promise<void> {
    await mintUsdc(this.chain.rpcUrl, this.wallet, amount);
  }

  work(options: WorkerOptions = {}): Promise<{ stop(): Promise<void> }> {
    return startWorker(this.desk, this.chain, { refundKeys: [this.key], ...options });
  }

  /** Payments of 1,000 that are settled on the chain, each of a payer of its own; without a worker left running. */
  async sell(count: number): Promise<readonly Sold[]> {
    const worker = await this.work();
    try {
      const sold: Sold[] = [];
      for (let n = 0; n < count; n++) {
        const payer = await newPayer(this.chain, 1_000n);
        const { id } = await deliver(this.desk, this.chain, payer, { mode: 'after' });
        sold.push({ id, payer: addressOf(payer) });
      }
      const ids = sold.map(({ id }) => id);
      await eventually(() => allAre(this.desk, 'settled', ids), 30_000);
      return sold;
    } finally {
      await worker.stop();
    }
  }

  /** Asks as the control plane does; by the refund wallet unless told otherwise. */
  async ask(payment: PaymentId, amount: bigint, from: 'refund_wallet' | 'payee' = 'refund_wallet'): Promise<RefundId> {
    const { number, timestamp } = await this.chain.client.getBlock();
    const now = BigInt(Math.floor(Date.now() / 1000));
    const validBefore = (timestamp > now ? timestamp : now) + DAY_SECONDS;
    const refund = refundIdOf(payment, randomUUID());
    const wallet = from === 'payee' ? undefined : { address: this.wallet, validBefore };
    const wanted: WantedRefund = { refund, amount, block: number, wallet };
    const { state, version } = await loadPayment(this.desk.store, payment);
    const { events } = decideRequest(state, new RequestRefund(payment, wanted));
    await this.write(payment, version, events as readonly PaymentEvent[]);
    return refund;
  }

  write(payment: PaymentId, version: number, events: readonly PaymentEvent[]) {
    const decide = () => ({ events });
    return this.desk.store.append({ stream: paymentStream(payment), tenant: 'demo', expectedVersion: version, decide });
  }

  async request(payment: PaymentId, refund: RefundId) {
    return requestOf((await loadPayment(this.desk.store, payment)).state, refund)!;
  }

  /** True when it stands so; throws with how it stands otherwise, for a readable timeout. */
  async is(payment: PaymentId, refund: RefundId, state: string): Promise<true> {
    const request = await this.request(payment, refund);
    if (request.state !== state) throw new Error(`${refund} is ${JSON.stringify(request)}`);
    return true;
  }

  /** What the log says was sent. */
  async sent(payment: PaymentId) {
    return refundsOf((await loadPayment(this.desk.store, payment)).state);
  }

  /** What the chain says was sent, oldest first. */
  async transfers(payer: Address, from: Address = this.wallet): Promise<readonly bigint[]> {
    const { address } = this.chain.token;
    const logs = await this.chain.client.getLogs({
      address,
      event: TRANSFER,
      args: { from, to: payer },
      fromBlock: 0n,
    });
    return logs.map(({ args }) => args.value!);
  }

  /** Types of the payment's events about refunds. */
  async history(payment: PaymentId): Promise<readonly string[]> {
    const events = await this.desk.store.readStream(paymentStream(payment));
    return events.map(({ type }) => type).filter((type) => /Refund/.test(type));
  }
}
