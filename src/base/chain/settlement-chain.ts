import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, chainIdOf, type Hex, type Network } from '../shared/hex.js';
import { broadcastRefusal } from './broadcast.js';
import {
  type AuthorizationOutcome,
  type BroadcastResult,
  ChainUnavailable,
  type NonceSlot,
  type SettlementChain,
  type SettlementItem,
  type SignedTransaction,
  type Token,
  type TransactionOutcome,
} from './chain.js';
import { asked, type ChainClient, rpcErrorOf, unavailable } from './chain-client.js';
import { batchCallData } from './eip3009.js';
import { batchGas, feesFor } from './gas.js';
import { keccak256 } from './native-crypto.js';
import {
  AUTHORIZATION_CANCELED,
  AUTHORIZATION_USED,
  addressTopic,
  isMined,
  transferBehind,
} from './settlement-logs.js';
import type { Signer } from './signer.js';
import { authorizationState, hasCode, refusalOfTransfer } from './token-calls.js';
import { readOutcome, readReceipt } from './transaction-outcome.js';

/** Multicall3 has this address on every chain that has it at all. */
export const MULTICALL3: Address = '0xca11bde05977b3631167028862be2a173976ca11';

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
    const defaults = { maxFeePerGas: 100_000_000_000n, logRange: 10_000n, logDepth: 1_000_000n, pollMs: 100 };
    this.options = { ...defaults, ...options };
    this.client = options.client;
    this.network = options.network;
    this.signers = new Map(options.signers.map((signer) => [signer.address, signer]));
    this.settlers = [...this.signers.keys()];
  }

  minedNonce(settler: Address): Promise<number> {
    return asked('nonce', this.client.getTransactionCount({ address: settler, blockTag: 'latest' }));
  }

  gasBalance(settler: Address): Promise<bigint> {
    return asked('gas balance', this.client.getBalance({ address: settler }));
  }

  async sign(token: Token, items: readonly SettlementItem[], slot: NonceSlot): Promise<SignedTransaction> {
    const signer = this.signers.get(slot.settler);
    if (signer === undefined) throw new RangeError(`there is no key for ${slot.settler}`);
    const payers = items.map(({ authorization }) => authorization.from);
    const [block, tip, ...withCode] = await asked(
      'fees',
      Promise.all([
        this.client.getBlock({ blockTag: 'latest' }),
        this.client.estimateMaxPriorityFeePerGas(),
        ...payers.map((payer) => hasCode(this.client, payer)),
      ]),
    );
    const fees = feesFor(block.baseFeePerGas ?? 0n, tip, this.options.maxFeePerGas);
    // A payer's contract could burn all the gas that is left, so it comes last, and only one of them.
    const plain = items.filter((_, index) => !withCode[index]);
    const contract = items.find((_, index) => withCode[index]);
    const raw = await signer.signTransaction({
      type: 'eip1559',
      chainId: chainIdOf(this.network),
      to: MULTICALL3,
      data: batchCallData(token, contract === undefined ? plain : [...plain, contract]),
      gas: batchGas(plain.length, contract !== undefined),
      nonce: slot.nonce,
      ...fees,
    });
    return { hash: hashOf(raw), raw, settler: slot.settler, nonce: slot.nonce };
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

  async waitForTransaction(hash: Hex, timeoutMs: number): Promise<TransactionOutcome> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const outcome = await this.transactionOutcome(hash).catch((error: unknown) => {
        if (performance.now() >= deadline) throw error;
      });
      if (outcome?.kind === 'mined') return outcome;
      if (outcome !== undefined && performance.now() >= deadline) return outcome;
      await sleep(this.options.pollMs);
    }
  }

  async authorizationOutcome(token: Token, payer: Address, nonce: Hex): Promise<AuthorizationOutcome> {
    const used = await asked('authorization', authorizationState(this.client, token, payer, nonce));
    if (!used) return { kind: 'unused' };
    const log = await this.findLog(token, payer, nonce);
    if (log.topics[0] === AUTHORIZATION_CANCELED) return { kind: 'cancelled', transaction: log.transactionHash };
    const receipt = await readReceipt(this.client, log.transactionHash);
    if (receipt === null) throw new ChainUnavailable('the node has the log of a transaction, but not its receipt');
    return transferBehind(log, receipt, token, payer);
  }

  refusalOf(token: Token, item: SettlementItem): Promise<string | undefined> {
    return refusalOfTransfer(this.client, token, item);
  }

  async chainTime(): Promise<bigint> {
    return (await asked('time of the chain', this.client.getBlock({ blockTag: 'latest' }))).timestamp;
  }

  /** Backwards from the latest block, in bounded ranges. */
  private async findLog(token: Token, payer: Address, nonce: Hex) {
    const { logRange, logDepth } = this.options;
    const topics = [[AUTHORIZATION_USED, AUTHORIZATION_CANCELED], addressTopic(payer), nonce];
    const latest = await asked('latest block', this.client.getBlockNumber({ cacheTime: 0 }));
    for (let to = latest; to >= 0n && latest - to < logDepth; to -= logRange) {
      const range = { fromBlock: quantity(to < logRange ? 0n : to - logRange + 1n), toBlock: quantity(to) };
      const filter = { address: token.address, topics, ...range };
      const logs = await asked('logs', this.client.request({ method: 'eth_getLogs', params: [filter] }));
      const found = logs.find(isMined);
      if (found !== undefined) return found;
    }
    throw new ChainUnavailable(`authorization ${nonce} is used, but no log of the last ${logDepth} blocks says how`);
  }
}

function hashOf(raw: Hex): Hex {
  return `0x${keccak256(Buffer.from(raw.slice(2), 'hex')).toString('hex')}`;
}

function quantity(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
