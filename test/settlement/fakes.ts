import {
  type AuthorizationOutcome,
  type BroadcastResult,
  FeeCapReached,
  type NonceSlot,
  type SettlementChain,
  type SettlementItem,
  type SignedTransaction,
  type Token,
  type TransactionOutcome,
} from '../../src/base/chain/chain.js';
import { type NewEvent, type StoredEvent, VersionConflict } from '../../src/base/event-store/event.js';
import type { Write } from '../../src/base/event-store/unit-of-work.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { DelegateSettlement, decideDelegate } from '../../src/domains/payments/delegate.decide.js';
import { foldPayment, type PaymentAfter } from '../../src/domains/payments/handler-for.js';
import type { Plan } from '../../src/domains/payments/payment.decide.js';
import type { Payment, PaymentEvent, PaymentId } from '../../src/domains/payments/payment.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideFail,
  decideRevert,
  decideSubmit,
  FailSettlement,
  RevertSettlement,
  SubmitSettlement,
} from '../../src/domains/payments/settle.decide.js';
import type { SettlementCommand } from '../../src/domains/settlement/settlement.ports.js';
import { isSameSlot } from './fake-book.js';

const REFUSED = 'ERC20: transfer amount exceeds balance';

interface Signed extends NonceSlot {
  readonly fee: bigint;
  readonly items: readonly SettlementItem[];
}

interface Use {
  readonly transaction: Hex;
  readonly block: number;
  readonly item: SettlementItem;
}

/** A chain of one token in memory: nonces in order, each item of a batch failing alone, blocks that can be taken away. */
export class FakeChain implements SettlementChain {
  readonly network = 'eip155:84532';
  readonly balances = new Map<Address, bigint>();
  readonly uses: Use[] = [];
  time = 1_000n;
  /** Of each settler, in wei. */
  gas = 10n ** 18n;
  baseFee = 10n;
  /** Most that a transaction of ours may offer. */
  cap = 1_000n;
  /** Nothing is mined meanwhile. */
  holding = false;
  /** Blocks without a transaction of ours. */
  idle = 0;
  /** Transactions that fail as a whole once they are mined. */
  readonly failing = new Set<Hex>();
  /** Of every transaction. */
  static readonly gas = { gasUsed: 50_000n, fee: 350_003n };
  /** Sees each transaction before the node does. */
  watcher: (hash: Hex) => void = () => undefined;
  private readonly blocks: Hex[] = [];
  private readonly pool = new Set<Hex>();
  private readonly signed = new Map<Hex, Signed>();
  private forks = 0;

  constructor(readonly settlers: readonly Address[]) {}

  /** Blocks, of one transaction each. */
  get height(): number {
    return this.blocks.length;
  }

  async minedNonce(settler: Address) {
    return this.countOf(settler);
  }

  async gasBalance() {
    return this.gas;
  }

  async gasPrices() {
    return { now: this.baseFee, usual: this.baseFee };
  }

  async fees() {
    const maxFeePerGas = this.wanted();
    return { maxFeePerGas, maxPriorityFeePerGas: 0n };
  }

  async sign(_token: Token, items: readonly SettlementItem[], slot: NonceSlot, over?: Pick<SignedTransaction, 'raw'>) {
    const fee = over === undefined ? this.wanted() : this.feeOver(this.signed.get(over.raw)!.fee);
    return this.signFor(slot, items, fee);
  }

  async raise(transaction: SignedTransaction, when: 'always' | 'if_underpriced') {
    const { fee, items } = this.signed.get(transaction.raw)!;
    if (when === 'if_underpriced' && fee >= this.baseFee) return undefined;
    return this.signFor(transaction, items, this.feeOver(fee));
  }

  private signFor({ nonce, settler }: NonceSlot, items: readonly SettlementItem[], fee: bigint): SignedTransaction {
    const text = `${settler}:${nonce}:${fee}:${items.map((i) => i.authorization.nonce).join()}`;
    const raw: Hex = `0x${Buffer.from(text).toString('hex')}`;
    this.signed.set(raw, { nonce, settler, fee, items });
    return { hash: raw, raw, nonce, settler };
  }

  private feeOver(old: bigint): bigint {
    const raised = old + old / 8n + 1n;
    const wanted = this.wanted();
    if (raised > this.cap) throw new FeeCapReached('too dear', this.cap);
    return raised > wanted ? raised : wanted;
  }

  private wanted(): bigint {
    if (this.baseFee > this.cap) throw new FeeCapReached('too dear', this.cap);
    return 2n * this.baseFee < this.cap ? 2n * this.baseFee : this.cap;
  }

  async broadcast({ raw }: Pick<SignedTransaction, 'raw'>): Promise<BroadcastResult> {
    this.watcher(raw);
    const { fee, nonce, settler } = this.signed.get(raw)!;
    if (this.blocks.includes(raw) || this.pool.has(raw)) return { kind: 'already_known' };
    if (nonce < this.countOf(settler)) return { kind: 'nonce_too_low' };
    if (fee < this.baseFee) return { kind: 'refused', detail: 'max fee per gas less than block base fee' };
    const rival = [...this.pool].find((other) => isSameSlot(this.signed.get(other)!, { nonce, settler }));
    if (rival) {
      const least = (this.signed.get(rival)!.fee * 11n) / 10n;
      if (fee < least) return { kind: 'refused', detail: 'replacement transaction underpriced' };
      this.pool.delete(rival);
    }
    this.pool.add(raw);
    if (!this.holding) this.mine();
    return { kind: 'accepted' };
  }

  async transactionOutcome(hash: Hex): Promise<TransactionOutcome> {
    const block = this.blocks.indexOf(hash);
    if (block >= 0) {
      const blockHash = this.blockHash(block);
      const failed = this.failing.has(hash);
      return { kind: 'mined', blockNumber: BigInt(block), blockHash, succeeded: !failed, ...FakeChain.gas };
    }
    return { kind: this.pool.has(hash) ? 'pending' : 'unknown' };
  }

  async waitForNonce({ nonce, settler }: NonceSlot) {
    return this.countOf(settler) > nonce;
  }

  async authorizationOutcome(_token: Token, payer: Address, nonce: Hex): Promise<AuthorizationOutcome> {
    const use = this.uses.find(({ item }) => item.authorization.from === payer && item.authorization.nonce === nonce);
    if (!use) return { kind: 'unused' };
    const { to: payee, value } = use.item.authorization;
    const blockHash = this.blockHash(use.block);
    return {
      kind: 'transferred',
      sender: this.signed.get(use.transaction)!.settler,
      transaction: use.transaction,
      blockNumber: BigInt(use.block),
      blockHash,
      logIndex: 0,
      payee,
      value,
    };
  }

  async refusalOf(_token: Token, { authorization }: SettlementItem) {
    return (this.balances.get(authorization.from) ?? 0n) < authorization.value ? REFUSED : undefined;
  }

  async head() {
    return { number: BigInt(this.blocks.length + this.idle), time: this.time, baseFee: this.baseFee };
  }

  /** Puts everything that pays the base fee into blocks, in the order of the nonces. */
  mine(): void {
    for (let raw = this.nextInPool(); raw; raw = this.nextInPool()) this.include(raw);
  }

  /** A miner that has seen other transactions than this node. */
  include(raw: Hex): void {
    this.pool.delete(raw);
    const block = this.blocks.push(raw) - 1;
    if (this.failing.has(raw)) return;
    for (const item of this.signed.get(raw)!.items) this.transfer(item, raw, block);
  }

  /** The node forgets all that is not in a block. */
  dropAll(): void {
    this.pool.clear();
  }

  /** Takes the newest blocks away; their transactions do not go back into the pool. */
  rollback(count: number): void {
    const from = this.blocks.length - count;
    this.blocks.length = from;
    this.forks++;
    for (const use of this.uses.splice(0)) {
      if (use.block < from) this.uses.push(use);
      else this.move(use.item, -1n);
    }
  }

  /** Nonces that were signed and broadcast out of order wait here. */
  get waiting(): number {
    return this.pool.size;
  }

  private countOf(settler: Address): number {
    return this.blocks.filter((raw) => this.signed.get(raw)!.settler === settler).length;
  }

  private nextInPool(): Hex | undefined {
    return [...this.pool].find((raw) => {
      const { fee, nonce, settler } = this.signed.get(raw)!;
      return fee >= this.baseFee && nonce === this.countOf(settler);
    });
  }

  private transfer(item: SettlementItem, transaction: Hex, block: number): void {
    const { from, nonce, validBefore, value } = item.authorization;
    const used = this.uses.some((use) => use.item.authorization.nonce === nonce);
    if (used || this.time >= validBefore || (this.balances.get(from) ?? 0n) < value) return;
    this.move(item, 1n);
    this.uses.push({ transaction, block, item });
  }

  private move({ authorization }: SettlementItem, sign: bigint): void {
    const { from, to, value } = authorization;
    this.balances.set(from, (this.balances.get(from) ?? 0n) - sign * value);
    this.balances.set(to, (this.balances.get(to) ?? 0n) + sign * value);
  }

  private blockHash(block: number): Hex {
    return `0x${this.forks.toString(16).padStart(4, '0')}${block.toString(16).padStart(4, '0')}`;
  }
}

/** Streams of other events in memory: the version decides, as in the log. */
export class FakeLog {
  readonly streams = new Map<string, NewEvent[]>();

  append = async ({ decide, expectedVersion, stream }: Write) => {
    const before = this.streams.get(stream) ?? [];
    if (before.length !== expectedVersion) throw new VersionConflict(stream, expectedVersion);
    const { events } = decide(true);
    this.streams.set(stream, [...before, ...events]);
    return { events, version: expectedVersion + events.length, position: 0n };
  };

  readStreams = async (streams: readonly string[]) => {
    const found = streams.filter((stream) => this.streams.has(stream));
    return new Map(found.map((stream) => [stream, this.streams.get(stream) as unknown as StoredEvent[]]));
  };
}

/** Payment streams in memory, with the real decisions. */
export class FakePayments {
  readonly streams = new Map<PaymentId, PaymentEvent[]>();

  state(id: PaymentId): Payment {
    return foldPayment(this.streams.get(id) ?? []);
  }

  load = async (id: PaymentId) => ({ version: this.streams.get(id)?.length ?? 0, state: this.state(id) });

  execute = async (command: SettlementCommand): Promise<PaymentAfter> => {
    const stream = this.streams.get(command.paymentId)!;
    const { events } = decide(this.state(command.paymentId), command);
    if (typeof events === 'function') throw new Error('settlement asks for no limit');
    stream.push(...events);
    return { state: this.state(command.paymentId), version: stream.length, events };
  };
}

function decide(state: Payment, command: SettlementCommand): Plan {
  if (command instanceof SubmitSettlement) return decideSubmit(state, command);
  if (command instanceof DelegateSettlement) return decideDelegate(state, command);
  if (command instanceof ConfirmSettlement) return decideConfirm(state, command);
  if (command instanceof FailSettlement) return decideFail(state, command);
  if (command instanceof RevertSettlement) return decideRevert(state, command);
  throw new Error('unknown command');
}
