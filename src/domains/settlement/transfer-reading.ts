import { ChainUnavailable } from '../../base/chain/chain.js';
import type { ChainReader } from '../../base/chain/chain-reader.js';
import type { TransferLog } from '../../base/chain/transfer-logs.js';
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
    const those = (state: StandingTransfer['state'], judgement: Judgement) =>
      doubtful.filter((one) => one.state === state && judged.get(one) === judgement);
    await records.forget(those('in_flight', 'explained'));
    await records.write(fence, those('in_flight', 'unexplained'), 'found', found);
    await records.write(fence, those('found', 'explained'), 'matched', decideMatched);
  }

  private async takeBack(fence: HoldRequest, gone: readonly StandingTransfer[]): Promise<void> {
    const { records } = this.deps;
    await records.forget(gone.filter(({ state }) => state === 'in_flight'));
    for (const side of ['in', 'out'] as const) {
      const those = gone.filter(({ direction, state }) => state === 'found' && direction === side);
      await records.write(fence, those, 'reverted', (state, { data, direction }) =>
        decideGone(state, direction, data.blockHash),
      );
    }
  }

  private async add(fence: HoldRequest, fresh: readonly SeenTransfer[], time: bigint): Promise<void> {
    const { records } = this.deps;
    const judged = await this.judge(fresh, time);
    await records.wait(fresh.filter((one) => judged.get(one) === 'in_flight'));
    await records.write(
      fence,
      fresh.filter((one) => judged.get(one) === 'unexplained'),
      'found',
      found,
    );
  }

  private async judge<T extends SeenTransfer>(seen: readonly T[], time: bigint): Promise<ReadonlyMap<T, Judgement>> {
    const { records, store } = this.deps;
    const ids = seen.flatMap(({ data, direction }) => (direction === 'in' ? (data.payment ?? []) : []));
    const payments = await store.readStreams(ids.map(paymentStream));
    const outgoing = await records.states(seen.flatMap(({ data, direction }) => (direction === 'out' ? data : [])));
    return new Map(
      seen.map((one): [T, Judgement] => {
        const { data, direction } = one;
        if (direction === 'out') {
          return [one, judgeOutbound(knownTransfer(outgoing.get(transferStream(data.network, data))).state)];
        }
        const payment = data.payment && paymentIn(payments.get(paymentStream(data.payment)));
        const log = { ...data, to: data.wallet, value: BigInt(data.amount) };
        return [one, judgeInbound(log, data.asset, payment, time)];
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

const found = (...[state, { data, direction }]: Parameters<Parameters<TransferRecords['write']>[3]>) =>
  decideFound(state, direction, data);

function paymentIn(events: readonly unknown[] | undefined): Payment | undefined {
  return events && foldPayment(events as readonly PaymentEvent[]);
}

function keyOf(
  direction: Direction,
  { logIndex, transaction }: { readonly logIndex: number; readonly transaction: Hex },
): string {
  return `${direction} ${transaction} ${logIndex}`;
}
