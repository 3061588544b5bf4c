import { type RpcLog, toHex } from 'viem';
import type { Address, Hex } from '../shared/hex.js';
import { ChainUnavailable, type Token } from './chain.js';
import { type ChainClient, rpcErrorOf, unavailable } from './chain-client.js';
import { AUTHORIZATION_USED, addressIn, addressTopic, isMined, type MinedLog, TRANSFER } from './settlement-logs.js';
import { readReceipt } from './transaction-outcome.js';

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

type TokenAddress = Pick<Token, 'address'>;

/** A Transfer of one token (ERC-20), in a block. */
export interface TransferLog {
  readonly from: Address;
  readonly to: Address;
  /** Atomic units. */
  readonly value: bigint;
  readonly transaction: Hex;
  readonly blockNumber: bigint;
  readonly blockHash: Hex;
  readonly logIndex: number;
}

/** `authorization`: the nonce of the sender's EIP-3009 authorization, if the transfer was made by one. */
export interface ReceiptTransfer extends TransferLog {
  readonly authorization?: Hex;
}

export interface TransferParties {
  readonly from?: Address;
  readonly to?: Address;
}

/**
 * All transfers of a token within a range of blocks, both ends included, in their order on the chain, one list per
 * answer of the node. A refusal for its size is asked again in halves, down to one block; memory is that of one answer.
 * Throws ChainUnavailable for every other failure. A node that has not seen `toBlock` yet gives what it has.
 */
export async function* transferLogs(
  client: ChainClient,
  token: TokenAddress,
  { from, to }: TransferParties,
  fromBlock: bigint,
  toBlock: bigint,
): AsyncGenerator<TransferLog[]> {
  const topics = [TRANSFER, from ? addressTopic(from) : null, to ? addressTopic(to) : null];
  let span = SPAN_FIRST;
  for (let first = fromBlock; first <= toBlock; ) {
    const last = first + span - 1n < toBlock ? first + span - 1n : toBlock;
    const filter = { address: token.address, topics, fromBlock: toHex(first), toBlock: toHex(last) };
    const logs = await request(client, filter, last === first);
    if (logs === undefined) {
      span = (last - first + 1n) / 2n;
      continue;
    }
    if (logs.length > 0) yield transfersIn(logs, token);
    first = last + 1n;
    span = nextSpan(span, logs.length);
  }
}

/**
 * The transfers of a token in one transaction, oldest first: none if it failed. `undefined` if it is in no block.
 * Throws ChainUnavailable.
 */
export async function transfersOf(
  client: ChainClient,
  token: TokenAddress,
  hash: Hex,
): Promise<ReceiptTransfer[] | undefined> {
  const receipt = await readReceipt(client, hash);
  if (receipt === null) return undefined;
  const logs = receipt.logs.filter((log) => log.address.toLowerCase() === token.address);
  const uses = logs.filter((log) => log.topics[0] === AUTHORIZATION_USED);
  return transfersIn(logs, token).map((transfer) => {
    const use = uses.findLast((log) => Number(log.logIndex) < transfer.logIndex);
    // The token writes the use right before its transfer; anything further away belongs to another call.
    const own = use && Number(use.logIndex) === transfer.logIndex - 1 && addressIn(use.topics[1]) === transfer.from;
    return own ? { ...transfer, authorization: use.topics[2] } : transfer;
  });
}

/** `undefined` if the node says that the answer would be too large, and less can be asked for. */
async function request(client: ChainClient, filter: object, single: boolean): Promise<readonly RpcLog[] | undefined> {
  try {
    return await client.request({ method: 'eth_getLogs', params: [filter] });
  } catch (error) {
    if (!single && isTooLarge(rpcErrorOf(error)?.details ?? '')) return undefined;
    throw unavailable('transfers', error);
  }
}

function isTooLarge(refusal: string): boolean {
  return SIZE.test(refusal) && LIMIT.test(refusal) && !RATE.test(refusal);
}

function nextSpan(span: bigint, found: number): bigint {
  if (found > PAGE_LOGS) return span > 1n ? span / 2n : 1n;
  const wider = found < PAGE_LOGS / 4 ? span * 2n : span;
  return wider < SPAN_MAX ? wider : SPAN_MAX;
}

function transfersIn(logs: readonly RpcLog[], token: TokenAddress): TransferLog[] {
  return logs
    .filter((log) => log.address.toLowerCase() === token.address && log.topics[0] === TRANSFER && !log.removed)
    .map((log) => {
      if (!isMined(log)) throw new ChainUnavailable('the node gave a log that is in no block');
      return transferOf(log);
    })
    .sort((a, b) =>
      a.blockNumber === b.blockNumber ? a.logIndex - b.logIndex : Number(a.blockNumber - b.blockNumber),
    );
}

function transferOf({ blockHash, blockNumber, data, logIndex, topics, transactionHash }: MinedLog): TransferLog {
  return {
    from: addressIn(topics[1]),
    to: addressIn(topics[2]),
    value: BigInt(data),
    transaction: transactionHash,
    blockNumber: BigInt(blockNumber),
    blockHash,
    logIndex: Number(logIndex),
  };
}
