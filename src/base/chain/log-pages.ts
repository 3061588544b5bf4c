import { BaseError, type RpcLog, toHex } from 'viem';
import type { Address, Hex } from '../shared/hex.js';
import { ChainUnavailable } from './chain.js';
import { type ChainClient, rpcErrorOf, unavailable } from './chain-client.js';
import { AnswerTooLarge } from './rpc-fetch.js';
import { isMined, type MinedLog } from './settlement-logs.js';

/** Blocks asked for at once: to begin with, and at most. */
const SPAN_FIRST = 1_000n;
const SPAN_MAX = 10_000n;
/** Logs in one answer above which the next one asks for fewer blocks; bounds the memory of the reader. */
const PAGE_LOGS = 4_000;

/** How nodes say that an answer would be too large or a range too wide: a size, and a limit on it. */
const SIZE = /results|logs|\brange\b|\bblocks\b|response size|query timeout/i;
const LIMIT = /max|exceed|limit|too (many|large|wide|big)|more than|timeout/i;
/** A smaller question would not help against these. */
const RATE = /too many requests|\brate\b|throughput|capacity|compute units/i;

/** Of one contract; by topic one value, several of which any will do, or `null` for all. */
export interface LogFilter {
  readonly address: Address;
  readonly topics: readonly (Hex | readonly Hex[] | null)[];
}

/**
 * All logs that fit within a range of blocks, both ends included, in their order on the chain, one list per answer of the node
 * that has any. A refusal for its size is asked again in halves, down to one block; memory is that of one answer.
 * Throws ChainUnavailable for every other failure. A node that has not seen `toBlock` yet gives what it has.
 */
export async function* logPages(
  client: ChainClient,
  filter: LogFilter,
  fromBlock: bigint,
  toBlock: bigint,
): AsyncGenerator<MinedLog[]> {
  let span = SPAN_FIRST;
  for (let first = fromBlock; first <= toBlock; ) {
    const last = first + span - 1n < toBlock ? first + span - 1n : toBlock;
    const range = { ...filter, fromBlock: toHex(first), toBlock: toHex(last) };
    const logs = await request(client, range, last === first);
    if (logs === undefined) {
      span = (last - first + 1n) / 2n;
      continue;
    }
    if (logs.length > 0) yield minedLogs(logs, filter.address);
    first = last + 1n;
    span = nextSpan(span, logs.length);
  }
}

/** Those of a contract that stand, in the order of the chain. Throws ChainUnavailable for one that is in no block. */
export function minedLogs(logs: readonly RpcLog[], address: Address): MinedLog[] {
  const standing = logs.filter((log) => log.address.toLowerCase() === address && !log.removed);
  if (!standing.every(isMined)) throw new ChainUnavailable('the node gave a log that is in no block');
  return standing.sort((a, b) =>
    a.blockNumber === b.blockNumber
      ? Number(a.logIndex) - Number(b.logIndex)
      : Number(BigInt(a.blockNumber) - BigInt(b.blockNumber)),
  );
}

/** `undefined` if the node says that the answer would be too large, or it is, and less can be asked for. */
async function request(client: ChainClient, filter: object, single: boolean): Promise<readonly RpcLog[] | undefined> {
  try {
    return await client.request({ method: 'eth_getLogs', params: [filter] });
  } catch (error) {
    if (!single && (isTooMuchToRead(error) || isTooLarge(rpcErrorOf(error)?.details ?? ''))) return undefined;
    throw unavailable('logs', error);
  }
}

function isTooMuchToRead(error: unknown): boolean {
  return error instanceof BaseError && error.walk((cause) => cause instanceof AnswerTooLarge) !== null;
}

function isTooLarge(refusal: string): boolean {
  return SIZE.test(refusal) && LIMIT.test(refusal) && !RATE.test(refusal);
}

function nextSpan(span: bigint, found: number): bigint {
  if (found > PAGE_LOGS) return span > 1n ? span / 2n : 1n;
  const wider = found < PAGE_LOGS / 4 ? span * 2n : span;
  return wider < SPAN_MAX ? wider : SPAN_MAX;
}
