import { blockAt } from '../../../base/chain/block-at.js';
import { asked, type ChainClient } from '../../../base/chain/chain-client.js';
import type { Hex, Network } from '../../../base/shared/hex.js';
import { beginnings } from './chain.sql.js';
import type { Snapshot } from './snapshot.js';

/** So few blocks are read whole: then nothing was in a wallet before the first of them. */
const WHOLE_BLOCKS = 50_000n;
/** The chain's clock may differ from ours, and a tenant exists before its first payment. Seconds. */
const EARLIER_SECONDS = 3_600n;

export interface BlockRange {
  readonly first: bigint;
  readonly last: bigint;
  /** Hash of the last block: while it stands, so do all before it. */
  readonly hash: Hex;
}

/**
 * The blocks to read: up to the newest, from an hour before the first payment was taken, or from the first one that any payment names.
 * Call with the snapshot taken already, so that what it calls settled is in these blocks. Throws ChainUnavailable.
 */
export async function blockRange(
  { client, network }: { readonly client: ChainClient; readonly network: Network },
  snapshot: Snapshot,
  upTo: bigint,
): Promise<BlockRange> {
  const { hash, number: last } = await asked('latest block', client.getBlock({ blockTag: 'latest' }));
  if (last < WHOLE_BLOCKS) return { first: 0n, last, hash };
  const [row] = await snapshot.query<{ firstAt: Date | null; firstBlock: string | null }>(beginnings, [upTo, network]);
  const { firstAt, firstBlock } = row!;
  if (firstAt === null) return { first: last, last, hash };
  const byTime = await blockAt(client, BigInt(Math.floor(firstAt.getTime() / 1000)) - EARLIER_SECONDS, last);
  const named = firstBlock === null ? last : BigInt(firstBlock);
  return { first: named < byTime ? named : byTime, last, hash };
}

/** True if the last block is still the one that was there when the range was set. */
export async function stands(client: ChainClient, { hash, last }: BlockRange): Promise<boolean> {
  try {
    return (await client.getBlock({ blockNumber: last })).hash === hash;
  } catch (error) {
    if ((error as Error).name === 'BlockNotFoundError') return false;
    return asked('last block', Promise.reject(error));
  }
}
