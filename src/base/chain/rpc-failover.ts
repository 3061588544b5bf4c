import { BaseError, createTransport, RpcRequestError, type Transport } from 'viem';
import type { Hex } from '../shared/hex.js';

type Request = (args: { readonly method: string; readonly params?: unknown }) => Promise<unknown>;

/** One URL of a chain. */
export interface RpcNode {
  readonly request: Request;
  /** For questions about the node itself: short and without a retry. */
  readonly ask: Request;
}

/** Blocks that the node in use may be behind the best one. */
const MAX_LAG = 5n;
/** Milliseconds between two looks at all nodes. */
const LOOK_MS = 5_000;
/** Milliseconds for which a node that failed is the last choice. */
const REST_MS = 5_000;
/** Codes with which providers say that they will not answer now: EIP-1474, HTTP, QuickNode. */
const LIMITED: ReadonlySet<number> = new Set([-32_005, 429, -32_007]);

/**
 * Uses one node at a time, the first that serves this chain and keeps up; the others are for when it does not answer.
 * Time never runs backwards: no node is used that has not seen every block that was answered before, because one that
 * lags would say "unused" of an authorization whose time, by an earlier answer, is over.
 */
export function rpcFailover(nodes: readonly RpcNode[], chainId: number): Transport {
  const choice = new NodeChoice(nodes, chainId);
  const config = { key: 'failover', name: 'RPC failover', type: 'failover', retryCount: 0 };
  return () => createTransport({ ...config, request: (args) => choice.request(args) as Promise<never> });
}

class NodeChoice {
  private current: RpcNode | undefined;
  /** The highest block that an answer has told of. */
  private seen = 0n;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined;
  private readonly failedAt = new Map<RpcNode, number>();

  constructor(
    private readonly nodes: readonly RpcNode[],
    private readonly chainId: number,
  ) {}

  /** @throws what the last node failed with, or an error that says that no node can be used */
  async request(args: Parameters<Request>[0]): Promise<unknown> {
    let failure: unknown = new Error('the RPC nodes change too often');
    for (let left = this.nodes.length + 1; left > 0; left--) {
      const node = await this.node();
      try {
        const answer = await node.request(args);
        // Of a node that was left meanwhile: what the next one has answered may be newer.
        if (node !== this.current) continue;
        this.remember(args, answer);
        return answer;
      } catch (error) {
        if (node !== this.current) continue;
        if (isAnswer(error)) throw error;
        failure = error;
        this.failedAt.set(node, performance.now());
        this.current = undefined;
      }
    }
    throw failure;
  }

  private async node(): Promise<RpcNode> {
    if (this.current === undefined) await this.look();
    else if (performance.now() - this.lookedAt > LOOK_MS) void this.look();
    if (this.current !== undefined) return this.current;
    throw new Error(`no RPC node answers for chain ${this.chainId} and has seen block ${this.seen}`);
  }

  private look(): Promise<void> {
    this.looking ??= this.choose().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async choose(): Promise<void> {
    this.lookedAt = performance.now();
    const heads = await Promise.all(this.nodes.map((node) => headOf(node, this.chainId)));
    let best = -1n;
    for (const head of heads) if (head > best) best = head;
    const good = this.nodes.filter((node, index) => {
      const head = heads[index]!;
      return head >= 0n && best - head <= MAX_LAG && (node === this.current || head >= this.seen);
    });
    this.current = good.find((node) => !this.rests(node)) ?? good[0];
  }

  private rests(node: RpcNode): boolean {
    const failedAt = this.failedAt.get(node);
    return failedAt !== undefined && performance.now() - failedAt < REST_MS;
  }

  private remember({ method }: Parameters<Request>[0], answer: unknown): void {
    const block = method === 'eth_blockNumber' ? answer : blockOf(answer);
    if (typeof block === 'string' && BigInt(block) > this.seen) this.seen = BigInt(block);
  }
}

/** -1 if the node does not answer, or serves another chain. */
async function headOf({ ask }: RpcNode, chainId: number): Promise<bigint> {
  try {
    const [chain, head] = await Promise.all([ask({ method: 'eth_chainId' }), ask({ method: 'eth_blockNumber' })]);
    return Number(chain) === chainId ? BigInt(head as Hex) : -1n;
  } catch {
    return -1n;
  }
}

/** Number of a block, or of the block of a receipt, transaction or the last log. */
function blockOf(answer: unknown): unknown {
  const one = Array.isArray(answer) ? answer.at(-1) : answer;
  if (typeof one !== 'object' || one === null) return undefined;
  const { blockNumber, number } = one as { readonly blockNumber?: unknown; readonly number?: unknown };
  return number ?? blockNumber;
}

/** Whether the node has answered, though with an error: another one would say the same. */
function isAnswer(error: unknown): boolean {
  const answer = error instanceof BaseError ? error.walk((cause) => cause instanceof RpcRequestError) : undefined;
  return answer instanceof RpcRequestError && !LIMITED.has(answer.code);
}
