import { BaseError, createPublicClient, http, type PublicClient, RpcRequestError } from 'viem';
import { chainIdOf, type Hex, type Network } from '../shared/hex.js';
import { ChainUnavailable } from './chain.js';
import { type RpcNode, rpcFailover } from './rpc-failover.js';
import { rpcFetch } from './rpc-fetch.js';

export type ChainClient = PublicClient;

export interface ChainClientOptions {
  readonly rpcUrl: string;
  /** Of each HTTP request, milliseconds. */
  readonly timeoutMs?: number;
  /** Most calls in one JSON-RPC batch; public nodes refuse large ones. */
  readonly batchSize?: number;
}

/** Of one question about a node itself, milliseconds. */
const ASK_TIMEOUT_MS = 1_000;

/**
 * Calls made in the same tick travel as one JSON-RPC batch. One quick retry; after that the caller decides.
 * Off-chain look-ups (ERC-3668) are off: a contract of the payer's choice must not make this server fetch an address.
 */
export function createChainClient({ rpcUrl, timeoutMs = 3_000, batchSize = 100 }: ChainClientOptions): ChainClient {
  const batch = { batchSize, wait: 0 };
  const transport = http(rpcUrl, { batch, fetchFn: rpcFetch, timeout: timeoutMs, retryCount: 1, retryDelay: 100 });
  return createPublicClient({ transport, ccipRead: false });
}

/**
 * As above, for a chain with several nodes, of which one is used at a time (`rpc-failover.ts`).
 *
 * @param doubtful a single node has not said yet which chain it serves, and is asked before it is used, as several always are
 */
export function createFailoverClient(
  network: Network,
  rpcUrls: readonly string[],
  { timeoutMs = 3_000, batchSize = 100 }: Omit<ChainClientOptions, 'rpcUrl'> = {},
  doubtful = false,
): ChainClient {
  const [rpcUrl = '', ...others] = rpcUrls;
  if (others.length === 0 && !doubtful) return createChainClient({ rpcUrl, timeoutMs, batchSize });
  const common = { batch: { batchSize, wait: 0 }, fetchFn: rpcFetch };
  const nodes = rpcUrls.map((url): RpcNode => {
    const { request } = http(url, { ...common, timeout: timeoutMs, retryCount: 1, retryDelay: 100 })({});
    const { request: ask } = http(url, { ...common, timeout: ASK_TIMEOUT_MS, retryCount: 0 })({});
    return { request, ask };
  });
  return createPublicClient({ transport: rpcFailover(nodes, chainIdOf(network)), ccipRead: false });
}

/**
 * Throws if any of the nodes that answer serves another chain than the one configured, or none answers. One that is
 * away is looked at again before it is used.
 */
export async function assertChainIds(network: Network, rpcUrls: readonly string[]): Promise<void> {
  const asked = rpcUrls.map((rpcUrl) => assertChainId(createChainClient({ rpcUrl }), network));
  const failures = (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const wrong = failures.find((reason) => !(reason instanceof ChainUnavailable));
  if (wrong !== undefined || failures.length === rpcUrls.length) throw wrong ?? failures[0];
}

/** Throws if the node serves another chain than the one configured: the same addresses exist on all of them. */
export async function assertChainId(client: ChainClient, network: Network): Promise<void> {
  const actual = await asked('chain id', client.getChainId());
  if (actual !== chainIdOf(network)) {
    throw new Error(`the chain's node serves eip155:${actual}, but ${network} is configured`);
  }
}

/** Turns every failure of a call into `ChainUnavailable` with its cause. */
export async function asked<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw unavailable(what, cause);
  }
}

export function unavailable(what: string, cause: unknown): ChainUnavailable {
  const detail = cause instanceof BaseError ? cause.shortMessage : String(cause);
  return new ChainUnavailable(`${what}: ${detail}`, { cause });
}

/** What the node answered, if it answered with an error; `undefined` if there was no answer. */
export function rpcErrorOf(error: unknown): RpcRequestError | undefined {
  const found = error instanceof BaseError ? error.walk((cause) => cause instanceof RpcRequestError) : undefined;
  return found instanceof RpcRequestError ? found : undefined;
}

const EXECUTION_FAILED = /revert|out ?of ?gas|invalid ?opcode|invalid ?jump|stack ?(under|over)flow|evm error/i;

/** Revert data and message if the call was executed and failed; `undefined` if the node could not say. */
export function revertOf(error: unknown): { readonly data: Hex; readonly message: string } | undefined {
  const answer = rpcErrorOf(error);
  if (answer === undefined) return undefined;
  // Code 3 is the execution error of the Ethereum JSON-RPC specification; other nodes say it in words.
  if (answer.code !== 3 && !EXECUTION_FAILED.test(answer.details)) return undefined;
  const data = typeof answer.data === 'string' && answer.data.startsWith('0x') ? (answer.data as Hex) : '0x';
  return { data, message: answer.details };
}
