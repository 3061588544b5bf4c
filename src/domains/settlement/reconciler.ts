import type { Block, ChainReader } from '../../base/chain/chain-reader.js';
import { VersionConflict } from '../../base/event-store/event.js';
import { HoldsRefused } from '../../base/event-store/unit-of-work.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Network } from '../../base/shared/hex.js';
import type { PaymentId } from '../payments/payment.js';
import type { OpenAuthorizations } from './open-authorizations.js';
import {
  type FollowedWallet,
  type Lease,
  LeaseLost,
  REORG_DEPTH,
  type ReconcilerCheckpoint,
  safeBehind,
} from './reconciler-checkpoint.js';
import type { BlockRef } from './settlement-transactions.js';
import type { TransferReading } from './transfer-reading.js';
import type { WalletOpener } from './wallet-opener.js';

/** Blocks read at once: to begin with, and at most; and transfers above which the next range is smaller. */
const SPAN_FIRST = 100n;
const SPAN_MAX = 10_000n;
const SPAN_LOGS = 2_000;
/** A chain that is shorter than before counts as cut back, and not as a node that lags, after this many milliseconds. */
const SHORT_MS = 10_000;
/** For so long after a reorganization strangers' settlements are looked at again, in milliseconds: the read model lags. */
const UNSETTLED_MS = 30_000;

export interface ReconcilerDeps {
  readonly network: Network;
  readonly chain: ChainReader;
  readonly checkpoint: ReconcilerCheckpoint;
  readonly opener: Pick<WalletOpener, 'open'>;
  readonly reading: Pick<TransferReading, 'read' | 'reconsider'>;
  readonly authorizations: Pick<OpenAuthorizations, 'endedIn'>;
  /** Has these payments looked at now. */
  readonly hurry: (payments: readonly PaymentId[]) => Promise<void>;
  /** Takes back settlements by others whose block is gone. */
  readonly verifyOthers: () => Promise<void>;
  readonly log: Logger;
}

interface Range {
  readonly wallets: readonly FollowedWallet[];
  /** The last block that is read already. */
  readonly after: bigint;
  readonly to: bigint;
}

/**
 * Follows one chain block by block and makes the log say what became of the wallets on it. What is found is compared with what
 * was written of the same blocks, so reading them again changes nothing, and the checkpoint moves last: a crash at any
 * point only has blocks read again. One process at a time follows a chain; another one's writes are refused (`fence`).
 */
export class Reconciler {
  private span = SPAN_FIRST;
  private shortSince: number | undefined;
  /** `undefined` once strangers' settlements were looked at long enough after it. */
  private reorganizedAt: number | undefined;
  private epoch: bigint | undefined;

  constructor(private readonly deps: ReconcilerDeps) {}

  /** One turn; `true` if the next should follow at once. Throws ChainUnavailable. */
  async step(): Promise<boolean> {
    const lease = await this.deps.checkpoint.claim();
    if (lease === undefined) return false;
    try {
      return await this.follow(lease);
    } catch (error) {
      // Somebody else took over, or recorded a refund meanwhile: whoever has the lease looks again.
      if (error instanceof LeaseLost || error instanceof HoldsRefused || error instanceof VersionConflict) return false;
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.deps.checkpoint.release();
  }

  private async follow(lease: Lease): Promise<boolean> {
    const { chain, checkpoint, opener, reading } = this.deps;
    const fence = checkpoint.fence(lease);
    const head = await chain.latest();
    const tip = lease.recent.at(-1);
    if (tip !== undefined && !(await this.stands(tip))) return this.findBack(lease, tip, head);
    this.shortSince = undefined;
    await opener.open(fence, head);
    await this.verifyOthers(lease);
    const range = rangeOf(await checkpoint.wallets(), tip, head, this.span);
    const more = await this.read(lease, range, head);
    await reading.reconsider(fence, head.time);
    return more;
  }

  private async read(lease: Lease, { after, to, wallets }: Range, head: Block): Promise<boolean> {
    const { chain, checkpoint, reading } = this.deps;
    const tip = lease.recent.at(-1);
    const end = to === head.number ? head : await chain.block(to);
    if (end === undefined) return true;
    const marks = tip === undefined || to > tip.number ? await this.marksFor(lease, end) : [];
    if (after < to) {
      const near = to > head.number - REORG_DEPTH;
      const ended = near ? await this.deps.authorizations.endedIn(after + 1n, to) : [];
      const seen = await reading.read({ wallets, after, to, isHead: to === head.number, time: head.time });
      // A block stands on all blocks before it: what was read is of one chain, and goes on from where the last reading ended.
      if (!(await this.stands(end)) || (tip !== undefined && !(await this.stands(tip)))) return true;
      await seen.record(checkpoint.fence(lease));
      this.resize(seen.transfers);
      if (ended.length > 0) await this.deps.hurry(ended);
    }
    await checkpoint.move(lease, { wallets, to, marks, head: head.number });
    return to < head.number;
  }

  /** The end, and a block behind which nothing can be reorganized, unless one is known. */
  private async marksFor({ recent }: Lease, end: Block): Promise<readonly BlockRef[]> {
    const safe = safeBehind(end.number);
    if (recent.some(({ number }) => number <= safe)) return [end];
    const block = await this.deps.chain.block(safe);
    return block === undefined ? [end] : [block, end];
  }

  private async stands({ hash, number }: BlockRef): Promise<boolean> {
    return (await this.deps.chain.block(number))?.hash === hash;
  }

  /** To the newest block that was read and is still there. What was found behind it is compared when that is read again. */
  private async findBack(lease: Lease, tip: BlockRef, head: Block): Promise<boolean> {
    const { checkpoint, log, network } = this.deps;
    const common = await this.newestStanding(lease.recent, head);
    if (common === undefined) {
      const reason = `none of the last ${REORG_DEPTH} blocks that were read is in the chain any more`;
      await checkpoint.stop(lease, reason);
      throw new Error(`${network}: ${reason}; is it another chain?`);
    }
    if (head.number < tip.number && !this.isCut()) return false;
    log.warn({ network, to: common.number.toString(), head: head.number.toString() }, 'the chain was reorganized');
    await checkpoint.stepBack(lease, common, head.number);
    this.reorganizedAt = performance.now();
    return true;
  }

  /** For a while after a reorganization; and once by whoever takes over, since the one before may have died on its way here. */
  private async verifyOthers({ epoch }: Lease): Promise<void> {
    const now = performance.now();
    if (epoch !== this.epoch) this.reorganizedAt ??= now - UNSETTLED_MS;
    this.epoch = epoch;
    if (this.reorganizedAt === undefined) return;
    const isLast = now - this.reorganizedAt >= UNSETTLED_MS;
    // However long the chain is away, it is asked once more after that.
    await this.deps.verifyOthers();
    if (isLast) this.reorganizedAt = undefined;
  }

  private async newestStanding(recent: readonly BlockRef[], head: Block): Promise<BlockRef | undefined> {
    const candidates = recent.filter(({ number }) => number <= head.number).reverse();
    for (const one of candidates) if (await this.stands(one)) return one;
    return undefined;
  }

  /** The chain ends before what was read: a node that is behind looks the same for a while. */
  private isCut(): boolean {
    this.shortSince ??= performance.now();
    return performance.now() - this.shortSince >= SHORT_MS;
  }

  private resize(transfers: number): void {
    if (transfers > SPAN_LOGS) this.span = this.span > 1n ? this.span / 2n : 1n;
    else if (transfers < SPAN_LOGS / 4 && this.span < SPAN_MAX) this.span *= 2n;
  }
}

/** Pure. The wallets that are furthest behind, up to where the next ones are; all of them, up to the newest block, when they are together. */
function rangeOf(all: readonly FollowedWallet[], tip: BlockRef | undefined, head: Block, span: bigint): Range {
  if (all.length === 0) return { wallets: [], after: tip?.number ?? head.number, to: head.number };
  const after = least(all.map(({ blockNumber }) => blockNumber));
  const others = all.map(({ blockNumber }) => blockNumber).filter((number) => number > after);
  const to = least([after + span, head.number, ...others]);
  return { wallets: all.filter(({ blockNumber }) => blockNumber === after), after, to };
}

function least(numbers: readonly bigint[]): bigint {
  return numbers.toSorted((a, b) => Number(a - b))[0]!;
}
