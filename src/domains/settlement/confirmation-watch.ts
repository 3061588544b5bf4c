import { LRUCache } from 'lru-cache';
import type { ChainHead, SettlementChain, Token } from '../../base/chain/chain.js';
import { remembered } from '../../base/platform/remembered.js';
import type { PaymentId } from '../payments/payment.js';
import { type ConfirmationTier, confirmationsFor } from './confirmations.js';
import { SettlementPending } from './settlement.ports.js';

/** How long the newest block counts as the newest, in milliseconds. */
const HEAD_MS = 200;
/** Shortest and longest time between two looks at one payment, in milliseconds. */
const WAIT_LEAST_MS = 200;
const WAIT_MOST_MS = 10_000;
/** Between two blocks, until that was seen; milliseconds. */
const PACE_MS = 2_000;
/** Payments that are remembered to wait. Of those that are forgotten the chain is asked more often than needed. */
const WAITING_MAX = 100_000;

/** The transfer stands in a block and too few blocks on it. Nothing is to be done but to come again. */
export class AwaitsBlocks extends SettlementPending {
  /** @param waitMs when they are expected, in milliseconds */
  constructor(
    message: string,
    readonly waitMs: number,
  ) {
    super(message);
  }
}

/**
 * Holds a settlement back until its transfer is deep enough. However many payments wait, the node is asked for its newest
 * block only; which block a payment waits for is a hint, and the chain is asked about the transfer itself once that is there.
 */
export class ConfirmationWatch {
  private readonly due = new LRUCache<PaymentId, bigint>({ max: WAITING_MAX });
  private readonly head: () => Promise<ChainHead>;
  /** When a block was the newest for the first time: the first one that was seen, and the last. */
  private first: Seen | undefined;
  private last: Seen | undefined;

  constructor(
    chain: Pick<SettlementChain, 'head'>,
    private readonly tiers: readonly ConfirmationTier[],
  ) {
    this.head = remembered(
      () => chain.head(),
      HEAD_MS,
      () => performance.now(),
    );
  }

  /** Throws AwaitsBlocks while the block that the payment was last seen to wait for is not there. */
  async mustBeDue(id: PaymentId): Promise<void> {
    const block = this.due.get(id);
    if (block === undefined) return;
    await this.mustHave(block);
    this.due.delete(id);
  }

  /**
   * Throws AwaitsBlocks unless the transfer's block has the confirmations that its amount asks for.
   *
   * @param amount atomic units
   * @throws ChainUnavailable
   */
  async mustStand(id: PaymentId, { decimals }: Token, amount: bigint, blockNumber: bigint): Promise<void> {
    const blocks = confirmationsFor(this.tiers, decimals, amount);
    if (blocks <= 1) return;
    const block = blockNumber + BigInt(blocks - 1);
    this.due.set(id, block);
    await this.mustHave(block);
    this.due.delete(id);
  }

  private async mustHave(block: bigint): Promise<void> {
    // A chain that is away makes no blocks either.
    const head = await this.head().catch(() => undefined);
    if (head === undefined) throw new AwaitsBlocks('the chain does not answer', PACE_MS);
    const now = performance.now();
    this.note(head.number, now);
    if (head.number >= block) return;
    const left = Number(block - head.number);
    const waitMs = left * this.pace() - (now - this.last!.at);
    throw new AwaitsBlocks(`${left} blocks to go`, Math.min(Math.max(waitMs, WAIT_LEAST_MS), WAIT_MOST_MS));
  }

  private note(number: bigint, at: number): void {
    // A chain that got shorter tells nothing about how long a block takes.
    if (this.first === undefined || number < this.last!.number) this.first = { number, at };
    if (this.last?.number !== number) this.last = { number, at };
  }

  /** Milliseconds from block to block, by those that were seen. */
  private pace(): number {
    const blocks = Number(this.last!.number - this.first!.number);
    return blocks > 0 ? (this.last!.at - this.first!.at) / blocks : PACE_MS;
  }
}

interface Seen {
  readonly number: bigint;
  readonly at: number;
}
