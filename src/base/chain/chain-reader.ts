import type { Address, Hex } from '../shared/hex.js';
import { blockAt } from './block-at.js';
import { asked, type ChainClient, unavailable } from './chain-client.js';
import { balanceOf } from './token-calls.js';
import {
  type AuthorizationLog,
  authorizationLogs,
  type ReceiptTransfer,
  type TransferLog,
  transferLogs,
  transfersOf,
} from './transfer-logs.js';

export interface Block {
  readonly number: bigint;
  readonly hash: Hex;
  /** Epoch seconds. */
  readonly time: bigint;
}

/** Addresses in one filter: nodes take some hundreds. */
const PARTIES_MAX = 200;

/** What following a chain asks of it. Every call may throw `ChainUnavailable`. Ranges of blocks include both ends. */
export class ChainReader {
  constructor(private readonly client: ChainClient) {}

  async latest(): Promise<Block> {
    return blockOf(await asked('latest block', this.client.getBlock({ blockTag: 'latest' })));
  }

  /** `undefined` if the chain is not that long. */
  async block(number: bigint): Promise<Block | undefined> {
    try {
      return blockOf(await this.client.getBlock({ blockNumber: number }));
    } catch (error) {
      if ((error as Error).name === 'BlockNotFoundError') return undefined;
      throw unavailable('block', error);
    }
  }

  /** The last block before a time (epoch seconds), of those up to `last`; 0 if none is. */
  async lastBefore(time: bigint, last: Block): Promise<bigint> {
    if (last.time < time) return last.number;
    const first = await blockAt(this.client, time, last.number);
    return first > 0n ? first - 1n : 0n;
  }

  /** Into or out of any of these wallets. */
  async *transfers(
    asset: Address,
    side: 'from' | 'to',
    wallets: readonly Address[],
    first: bigint,
    last: bigint,
  ): AsyncGenerator<TransferLog[]> {
    for (const part of partsOf(wallets)) {
      yield* transferLogs(this.client, { address: asset }, { [side]: part }, first, last);
    }
  }

  async *authorizations(
    asset: Address,
    payers: readonly Address[],
    first: bigint,
    last: bigint,
  ): AsyncGenerator<AuthorizationLog[]> {
    for (const part of partsOf(payers)) yield* authorizationLogs(this.client, { address: asset }, part, first, last);
  }

  /** `undefined` if the transaction is in no block. */
  transfersOf(asset: Address, transaction: Hex): Promise<ReceiptTransfer[] | undefined> {
    return transfersOf(this.client, { address: asset }, transaction);
  }

  /** After a block, in atomic units; `undefined` if the node has dropped that state, or does not answer. */
  balanceAfter(asset: Address, account: Address, block: bigint): Promise<bigint | undefined> {
    return balanceOf(this.client, { address: asset }, account, block).catch(() => undefined);
  }
}

function blockOf({ hash, number, timestamp }: { hash: Hex; number: bigint; timestamp: bigint }): Block {
  return { number, hash, time: timestamp };
}

function* partsOf(addresses: readonly Address[]): Generator<readonly Address[]> {
  for (let at = 0; at < addresses.length; at += PARTIES_MAX) yield addresses.slice(at, at + PARTIES_MAX);
}
