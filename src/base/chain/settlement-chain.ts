import { setTimeout as sleep } from 'node:timers/promises';
import { parseTransaction } from 'viem';
import { type Address, chainIdOf, type Hex, type Network } from '../shared/hex.js';
import { broadcastRefusal } from './broadcast.js';
import {
  type AuthorizationOutcome,
  type BroadcastResult,
  type ChainHead,
  ChainUnavailable,
  type Fees,
  type NonceSlot,
  type SettlementChain,
  type SettlementItem,
  type SignedTransaction,
  type Token,
  type TransactionOutcome,
} from './chain.js';
import { asked, type ChainClient, rpcErrorOf, unavailable } from './chain-client.js';
import { batchCallData } from './eip3009.js';
import { batchGas, feesFor, feesOver } from './gas.js';
import { keccak256 } from './native-crypto.js';
import {
  AUTHORIZATION_CANCELED,
  AUTHORIZATION_USED,
  addressTopic,
  isAbout,
  isIn,
  isMined,
  type LogTopics,
  transferBehind,
} from './settlement-logs.js';
import type { Signer, UnsignedTransaction } from './signer.js';
import { authorizationState, hasCode, refusalOfTransfer } from './token-calls.js';
import { readOutcome, readReceipt } from './transaction-outcome.js';

/** Multicall3 has this address on every chain that has it at all. */
export const MULTICALL3: Address = '0xca11bde05977b3631167028862be2a173976ca11';

/** Blocks whose middle price counts as the usual one. */
const PRICE_BLOCKS = 50n;

export interface SettlementChainOptions {
  readonly client: ChainClient;
  readonly network: Network;
  /** Of the settlers, which pay gas and hold no revenue; at least one. */
  readonly signers: readonly Signer[];
  /** Most that is paid per unit of gas, tip included, in wei. */
  readonly maxFeePerGas?: bigint;
  /** Blocks asked for in one `eth_getLogs`. */
  readonly logRange?: bigint;
  /** How many blocks back an authorization's log is searched. */
  readonly logDepth?: bigint;
  /** Milliseconds between two looks at a transaction that is waited for. */
  readonly pollMs?: number;
}

/** One EVM chain, through one node. Every call is bounded by the client's timeout. */
export class ViemSettlementChain implements SettlementChain {
  readonly network: Network;
  readonly settlers: readonly Address[];
  private readonly signers: ReadonlyMap<Address, Signer>;
  private readonly client: ChainClient;
  private readonly options: Required<SettlementChainOptions>;

  constructor(options: SettlementChainOptions) {
    this.options = {
      ...options,
      maxFeePerGas: options.maxFeePerGas ?? 100_000_000_000n,
      logRange: options.logRange ?? 10_000n,
      logDepth: options.logDepth ?? 1_000_000n,
      pollMs: options.pollMs ?? 100,
    };
    this.client = options.client;
    this.network = options.network;
    this.signers = new Map(options.signers.map((signer) => [signer.address, signer]));
    this.settlers = [...this.signers.keys()];
  }

  /** Requests that are under way are shared: many wait for the transactions of one lane. */
  async minedNonce(settler: Address): Promise<number> {
    const params: [Address, 'latest'] = [settler, 'latest'];
    const request = this.client.request({ method: 'eth_getTransactionCount', params }, { dedupe: true });
    return Number(await asked('nonce', request));
  }

  async fees(): Promise<Fees> {
    const { baseFee, tip } = await this.market();
    return feesFor(baseFee, tip, this.options.maxFeePerGas);
  }

  async gasPrices(): Promise<{ readonly now: bigint; readonly usual: bigint }> {
    const params: [Hex, 'latest', []] = [quantity(PRICE_BLOCKS), 'latest', []];
    const history = await asked('prices of gas', this.client.request({ method: 'eth_feeHistory', params }));
    // One for each block, and the next one's.
    const fees = history.baseFeePerGas.map(BigInt);
    const sorted = fees.slice(0, -1).sort((a, b) => (a < b ? -1 : 1));
    return { now: fees.at(-1) ?? 0n, usual: sorted[sorted.length >> 1] ?? 0n };
  }

  gasBalance(settler: Address): Promise<bigint> {
    return asked('gas balance', this.client.getBalance({ address: settler }));
  }

  async sign(
    token: Token,
    items: readonly SettlementItem[],
    slot: NonceSlot,
    over?: Pick<SignedTransaction, 'raw'>,
  ): Promise<SignedTransaction> {
    const payers = items.map(({ authorization }) => authorization.from);
    const [market, ...withCode] = await Promise.all([
      this.market(),
      ...payers.map((payer) => asked('code of a payer', hasCode(this.client, payer))),
    ]);
    // A payer's contract could burn all the gas that is left, so it comes last, and only one of them.
    const plain = items.filter((_, index) => !withCode[index]);
    const contract = items.find((_, index) => withCode[index]);
    const { maxFeePerGas: cap } = this.options;
    const now = feesFor(market.baseFee, market.tip, cap);
    return this.signAs(slot, {
      data: batchCallData(token, contract === undefined ? plain : [...plain, contract]),
      gas: batchGas(plain.length, contract !== undefined),
      ...(over === undefined ? now : feesOver(contentOf(over), now, cap)),
    });
  }

  async raise(
    transaction: SignedTransaction,
    when: 'always' | 'if_underpriced',
  ): Promise<SignedTransaction | undefined> {
    const old = contentOf(transaction);
    const { baseFee, tip } = await this.market();
    if (when === 'if_underpriced' && old.maxFeePerGas >= baseFee) return undefined;
    const { maxFeePerGas: cap } = this.options;
    const { data, gas } = old;
    return this.signAs(transaction, { data, gas, ...feesOver(old, feesFor(baseFee, tip, cap), cap) });
  }

  /** What the latest block asks for gas, and what others give on top; in wei. */
  private async market(): Promise<{ readonly baseFee: bigint; readonly tip: bigint }> {
    const [{ baseFee }, tip] = await Promise.all([
      this.head(),
      asked('tip', this.client.estimateMaxPriorityFeePerGas()),
    ]);
    return { baseFee, tip };
  }

  private async signAs({ nonce, settler }: NonceSlot, content: Content): Promise<SignedTransaction> {
    const signer = this.signers.get(settler);
    if (signer === undefined) throw new RangeError(`there is no key for ${settler}`);
    const chainId = chainIdOf(this.network);
    const raw = await signer.signTransaction({ type: 'eip1559', chainId, to: MULTICALL3, nonce, ...content });
    return { hash: hashOf(raw), raw, settler, nonce };
  }

  async broadcast({ raw }: Pick<SignedTransaction, 'raw'>): Promise<BroadcastResult> {
    try {
      await this.client.request({ method: 'eth_sendRawTransaction', params: [raw] });
      return { kind: 'accepted' };
    } catch (error) {
      const refusal = broadcastRefusal(rpcErrorOf(error)?.details ?? '');
      if (refusal === undefined) throw unavailable('broadcast', error);
      if (refusal.kind !== 'nonce_too_low') return refusal;
      // The nonce may be used by this very transaction, mined meanwhile.
      const { kind } = await this.transactionOutcome(hashOf(raw));
      return kind === 'unknown' ? refusal : { kind: 'already_known' };
    }
  }

  transactionOutcome(hash: Hex): Promise<TransactionOutcome> {
    return readOutcome(this.client, hash);
  }

  async waitForNonce({ nonce, settler }: NonceSlot, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const mined = await this.minedNonce(settler).catch((error: unknown) => {
        if (performance.now() >= deadline) throw error;
        return 0;
      });
      if (mined > nonce) return true;
      if (performance.now() >= deadline) return false;
      await sleep(this.options.pollMs);
    }
  }

  async authorizationOutcome(token: Token, payer: Address, nonce: Hex): Promise<AuthorizationOutcome> {
    const used = await asked('authorization', authorizationState(this.client, token, payer, nonce));
    if (!used) return { kind: 'unused' };
    const log = await this.findLog(token, payer, nonce);
    if (log.topics[0] === AUTHORIZATION_CANCELED)
      return { kind: 'cancelled', transaction: log.transactionHash, blockNumber: BigInt(log.blockNumber) };
    const receipt = await readReceipt(this.client, log.transactionHash);
    if (receipt === null) throw new ChainUnavailable('the node has the log of a transaction, but not its receipt');
    if (!isIn(receipt, log))
      throw new ChainUnavailable('the node has the log of a transaction, but not in its receipt');
    return transferBehind(log, receipt, token, payer);
  }

  refusalOf(token: Token, item: SettlementItem): Promise<string | undefined> {
    return refusalOfTransfer(this.client, token, item);
  }

  async head(): Promise<ChainHead> {
    const block = await asked('latest block', this.client.getBlock({ blockTag: 'latest' }));
    return { number: block.number, time: block.timestamp, baseFee: block.baseFeePerGas ?? 0n };
  }

  /** Backwards from the latest block, in bounded ranges. */
  private async findLog(token: Token, payer: Address, nonce: Hex) {
    const { logRange, logDepth } = this.options;
    const topics: LogTopics = [[AUTHORIZATION_USED, AUTHORIZATION_CANCELED], addressTopic(payer), nonce];
    const latest = await asked('latest block', this.client.getBlockNumber({ cacheTime: 0 }));
    for (let to = latest; to >= 0n && latest - to < logDepth; to -= logRange) {
      const range = { fromBlock: quantity(to < logRange ? 0n : to - logRange + 1n), toBlock: quantity(to) };
      const filter = { address: token.address, topics, ...range };
      const logs = await asked('logs', this.client.request({ method: 'eth_getLogs', params: [filter] }));
      const found = logs.filter(isMined).find((log) => isAbout(log, token, topics));
      if (found !== undefined) return found;
    }
    throw new ChainUnavailable(`authorization ${nonce} is used, but no log of the last ${logDepth} blocks says how`);
  }
}

/** What a replacement keeps, and the fees that it has to pass. */
type Content = Fees & Required<Pick<UnsignedTransaction, 'data' | 'gas'>>;

function contentOf({ raw }: Pick<SignedTransaction, 'raw'>): Content {
  const { data, gas, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw as `0x02${string}`);
  return {
    data: data ?? '0x',
    gas: gas ?? 0n,
    maxFeePerGas: maxFeePerGas ?? 0n,
    maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n,
  };
}

function hashOf(raw: Hex): Hex {
  return `0x${keccak256(Buffer.from(raw.slice(2), 'hex')).toString('hex')}`;
}

function quantity(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
