import { ChainUnavailable } from '../../base/chain/chain.js';
import type { ChainReader } from '../../base/chain/chain-reader.js';
import type { TransferLog } from '../../base/chain/transfer-logs.js';
import { VersionConflict } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Hex, Network } from '../../base/shared/hex.js';
import { foldPayment } from '../payments/handler-for.js';
import { type Payment, type PaymentEvent, type PaymentId, paymentIdOf, paymentStream } from '../payments/payment.js';
import { transferStream } from '../payments/payment.refund.js';
import { knownTransfer } from '../payments/transfer.js';
import {
  type Direction,
  decideFound,
  decideGone,
  decideMatched,
  type Judgement,
  judgeInbound,
  judgeOutbound,
} from './reconciler.decide.js';
import type { FollowedWallet } from './reconciler-checkpoint.js';
import { type SeenTransfer, type StandingTransfer, type TransferRecords } from './transfer-records.js';

/** Receipts that are asked for at once. */
const TOGETHER = 50;
/** Transfers that are thought over again in one turn. */
const DOUBTFUL_MAX = 500;

export interface BlocksToRead {
  readonly wallets: readonly FollowedWallet[];
  /** The last block that is read already. */
  readonly after: bigint;
  readonly to: bigint;
  /** Nothing is behind `to`, so whatever was found there is gone. */
  readonly isHead: boolean;
  /** The chain's clock, epoch seconds. */
  readonly time: bigint;
}

/** What the chain has, not written yet. */
export interface Reading {
  readonly transfers: number;
  /** Repeatable. */
  record(fence: HoldRequest): Promise<void>;
}

interface Found {
  readonly direction: Direction;
  readonly wallet: FollowedWallet;
  readonly log: TransferLog;
}

interface Judged {
  readonly judgement: Judgement;
  /** Version of the transfer's stream that it was judged by, of one that went out. */
  readonly at?: number;
}

export interface TransferReadingDeps {
  readonly network: Network;
  readonly chain: Pick<ChainReader, 'transfers' | 'transfersOf'>;
  readonly store: Pick<EventStore, 'readStreams'>;
  readonly records: TransferRecords;
}

/** Compares the transfers of wallets in a range of blocks with what the log says of them. */
export class TransferReading {
  constructor(private readonly deps: TransferReadingDeps) {}

  /** Throws ChainUnavailable. */
  async read(blocks: BlocksToRead): Promise<Reading> {
    const { after, isHead, time, to, wallets } = blocks;
    const found = await this.transfersIn(blocks);
    const standing = await this.deps.records.standing(wallets, after, isHead ? undefined : to);
    const hashes = new Map(found.map(({ direction, log }) => [keyOf(direction, log), log.blockHash]));
    const isThere = ({ data, direction }: SeenTransfer) => hashes.get(keyOf(direction, data)) === data.blockHash;
    const gone = standing.filter((one) => !isThere(one));
    const known = new Set(standing.filter(isThere).map(({ data, direction }) => keyOf(direction, data)));
    const fresh = await this.described(found.filter(({ direction, log }) => !known.has(keyOf(direction, log))));
    return {
      transfers: found.length,
      record: async (fence) => {
        await this.takeBack(fence, gone);
        // A transfer between two wallets is in both lists, and each side writes its own event into the one stream.
        for (const side of ['in', 'out'] as const) {
          await this.add(
            fence,
            fresh.filter(({ direction }) => direction === side),
            time,
          );
        }
      },
    };
  }

  /** Those whose payment was not over, or not taken yet, when they were seen. */
  async reconsider(fence: HoldRequest, time: bigint): Promise<void> {
    const { records } = this.deps;
    const doubtful = await records.doubtful(DOUBTFUL_MAX);
    if (doubtful.length === 0) return;
    const judged = await this.judge(doubtful, time);
    const those = (written: 'in_flight' | 'found', judgement: Judgement) =>
      doubtful.filter(
        (one) => isInFlight(one) === (written === 'in_flight') && judged.get(one)!.judgement === judgement,
      );
    await records.forget(those('in_flight', 'explained'));
    await records.write(fence, those('in_flight', 'unexplained'), 'found', (state, { data, direction }) =>
      decideFound(state, direction, data),
    );
    await records.write(fence, those('found', 'explained'), 'matched', decideMatched);
  }

  private async takeBack(fence: HoldRequest, gone: readonly StandingTransfer[]): Promise<void> {
    const { records } = this.deps;
    await records.forget(gone.filter(isInFlight));
    for (const side of ['in', 'out'] as const) {
      const those = gone.filter((one) => !isInFlight(one) && one.direction === side);
      await records.write(fence, those, 'reverted', (state, { data, direction }) =>
        decideGone(state, direction, data.blockHash),
      );
    }
  }

  private async add(fence: HoldRequest, fresh: readonly SeenTransfer[], time: bigint): Promise<void> {
    const { records } = this.deps;
    const judged = await this.judge(fresh, time);
    await records.wait(fresh.filter((one) => judged.get(one)!.judgement === 'in_flight'));
    const unexplained = fresh.filter((one) => judged.get(one)!.judgement === 'unexplained');
    await records.write(fence, unexplained, 'found', (state, seen, version) => {
      const { at } = judged.get(seen)!;
      // Whoever refunds by it says so in its stream, also again.
      if (at !== undefined && at !== version)
        throw new VersionConflict(transferStream(seen.data.network, seen.data), at);
      return decideFound(state, seen.direction, seen.data);
    });
  }

  private async judge<T extends SeenTransfer>(seen: readonly T[], time: bigint): Promise<ReadonlyMap<T, Judged>> {
    const { records } = this.deps;
    const outgoing = await records.states(seen.flatMap(({ data, direction }) => (direction === 'out' ? data : [])));
    const out = ({ data }: SeenTransfer) => knownTransfer(outgoing.get(transferStream(data.network, data)));
    const paymentOf = (one: T) => (one.direction === 'in' ? one.data.payment : out(one).state.claimedBy);
    // After the streams: a refund that is recorded meanwhile moves its transfer's.
    const payments = await this.deps.store.readStreams(seen.flatMap((one) => paymentOf(one) ?? []).map(paymentStream));
    return new Map(
      seen.map((one): [T, Judged] => {
        const { data, direction } = one;
        const id = paymentOf(one);
        const payment = id && paymentIn(payments.get(paymentStream(id)));
        if (direction === 'out') return [one, { judgement: judgeOutbound(data, payment), at: out(one).version }];
        const log = { ...data, to: data.wallet, value: BigInt(data.amount) };
        return [one, { judgement: judgeInbound(log, data.asset, payment, time) }];
      }),
    );
  }

  /** Into and out of the wallets, one entry for each side of a transfer. Nothing that moves nothing. */
  private async transfersIn({ after, to, wallets }: BlocksToRead): Promise<Found[]> {
    const found: Found[] = [];
    for (const asset of new Set(wallets.map((one) => one.asset))) {
      const byAddress = new Map(wallets.filter((one) => one.asset === asset).map((one) => [one.wallet, one]));
      for (const side of ['to', 'from'] as const) {
        const pages = this.deps.chain.transfers(asset, side, [...byAddress.keys()], after + 1n, to);
        for await (const page of pages) {
          for (const log of page) {
            const wallet = byAddress.get(log[side]);
            if (wallet === undefined || log.value === 0n || log.from === log.to) continue;
            if (log.blockNumber > wallet.openedAt) found.push({ direction: side === 'to' ? 'in' : 'out', wallet, log });
          }
        }
      }
    }
    return found;
  }

  /** With the payment whose authorization made it, which only the receipt tells. */
  private async described(found: readonly Found[]): Promise<readonly SeenTransfer[]> {
    const nonces = await this.authorizationsOf(found.filter(({ direction }) => direction === 'in'));
    return found.map(({ direction, log, wallet }) => {
      const { blockHash, blockNumber, from, logIndex, to, transaction, value } = log;
      const nonce = nonces.get(keyOf(direction, log));
      const { network } = this.deps;
      const payment = nonce && paymentIdOf({ network, asset: wallet.asset, payer: from, nonce });
      const data = {
        ...{ network, asset: wallet.asset, wallet: wallet.wallet, counterparty: direction === 'in' ? from : to },
        ...{ amount: value.toString(), transaction, logIndex, blockNumber: blockNumber.toString(), blockHash },
        ...(payment === undefined ? {} : { payment: payment as PaymentId }),
      };
      return { direction, tenant: wallet.tenant, data };
    });
  }

  /** Nonces of the authorizations that made these transfers. */
  private async authorizationsOf(found: readonly Found[]): Promise<ReadonlyMap<string, Hex>> {
    const asked = new Map(found.map(({ log, wallet }) => [`${wallet.asset} ${log.transaction}`, { log, wallet }]));
    const transactions = [...asked.values()];
    const nonces = new Map<string, Hex>();
    for (let at = 0; at < transactions.length; at += TOGETHER) {
      const part = transactions.slice(at, at + TOGETHER);
      const receipts = await Promise.all(
        part.map(({ log, wallet }) => this.deps.chain.transfersOf(wallet.asset, log.transaction)),
      );
      for (const receipt of receipts) {
        if (receipt === undefined)
          throw new ChainUnavailable('the node has the log of a transaction, but not its receipt');
        for (const one of receipt) {
          if (one.authorization !== undefined) nonces.set(keyOf('in', one), one.authorization);
        }
      }
    }
    return nonces;
  }
}

function paymentIn(events: readonly unknown[] | undefined): Payment | undefined {
  return events && foldPayment(events as readonly PaymentEvent[]);
}

function isInFlight({ state }: StandingTransfer): boolean {
  return state === 'in_flight';
}

function keyOf(
  direction: Direction,
  { logIndex, transaction }: { readonly logIndex: number; readonly transaction: Hex },
): string {
  return `${direction} ${transaction} ${logIndex}`;
}
