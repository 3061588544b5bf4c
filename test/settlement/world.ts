import type { NonceSlot, Token } from '../../src/base/chain/chain.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import type {
  AuthorizationTerms,
  PaymentEvent,
  PaymentId,
  SettlementMode,
} from '../../src/domains/payments/payment.js';
import { isOpen } from '../../src/domains/payments/settle.decide.js';
import { GasWatch } from '../../src/domains/settlement/gas-watch.js';
import { standingFee } from '../../src/domains/settlement/network-fee.decide.js';
import type { NetworkFeeEvent } from '../../src/domains/settlement/network-fee.js';
import { NetworkFees } from '../../src/domains/settlement/network-fees.js';
import { SettlementEngine } from '../../src/domains/settlement/settlement.engine.js';
import { SettlementRecovery } from '../../src/domains/settlement/settlement.recovery.js';
import { SettlerLanes } from '../../src/domains/settlement/settler-lanes.js';
import { FakeBook } from './fake-book.js';
import { FakeChain, FakeLog, FakePayments } from './fakes.js';
import { log } from './support.js';

const SETTLERS: readonly Address[] = [`0x${'5e'.repeat(20)}`, `0x${'77'.repeat(20)}`];
const PAYEE: Address = `0x${'bb'.repeat(20)}`;
const token: Token = {
  network: 'eip155:84532',
  address: `0x${'cc'.repeat(20)}`,
  name: 'USDC',
  version: '2',
  decimals: 6,
};
const TURNS_MAX = 20;

export class Died extends Error {}

/** What outlives a process. */
export class World {
  readonly chain = new FakeChain(SETTLERS);
  readonly book = new FakeBook();
  readonly payments = new FakePayments();
  readonly fees = new FakeLog();
  readonly ids: PaymentId[] = [];
  /** Transactions that reached the node before the book, and the log of each payment that is open, knew of them. */
  readonly premature: Hex[] = [];

  constructor() {
    this.chain.watcher = (hash) => {
      const row = this.book.rows.find((one) => one.hash === hash);
      if (!row?.payments.every((id) => this.isClosed(id) || this.hasSubmission(id, hash))) this.premature.push(hash);
    };
  }

  deliver(n: number, mode: SettlementMode, balance: bigint): PaymentId {
    const payer: Address = `0x${n.toString(16).padStart(40, '0')}`;
    const nonce: Hex = `0x${n.toString(16).padStart(64, '0')}`;
    const id: PaymentId = `pay_${n}`;
    const times = { validAfter: '0', validBefore: '2000' };
    const terms: AuthorizationTerms = {
      network: token.network,
      asset: token.address,
      payer,
      payee: PAYEE,
      amount: '10',
      nonce,
      ...times,
    };
    this.chain.balances.set(payer, balance);
    this.payments.streams.set(id, [
      { type: 'PaymentAuthorized', schema: 4, data: { tenant: tenantOf(id), terms, mode, holds: [] } },
      { type: 'RequestDelivered', schema: 1, data: {} },
    ] as unknown as PaymentEvent[]);
    this.ids.push(id);
    return id;
  }

  private hasSubmission(id: PaymentId, hash: Hex): boolean {
    const events = this.payments.streams.get(id)!;
    return events.some((event) => event.type === 'SettlementSubmitted' && event.data.transaction === hash);
  }

  /** A process whose calls pass through `gate`. */
  boot(gate: Gate) {
    const signatures = async (ids: readonly PaymentId[]) => new Map(ids.map((id): [PaymentId, Hex] => [id, '0x01']));
    const { append, readStreams } = this.fees;
    const items = async (ids: readonly PaymentId[]) => itemsOf(ids);
    const store = { append: gate.guardCall(append), readStreams: gate.guardCall(readStreams) };
    const book = gate.guard(this.book);
    const chain = gate.guard(this.chain);
    const clock = () => Number(this.chain.time) * 1_000;
    const ports = {
      fees: new NetworkFees({ store, network: token.network, items: gate.guardCall(items) }),
      ...{ chain, book, signatures, log, clock, lanes: new SettlerLanes(book, new GasWatch(chain, clock, log)) },
      execute: gate.guardCall(this.payments.execute),
      load: gate.guardCall(this.payments.load),
      tokens: new Map([[token.address, token]]),
      screen: async () => 'clear' as const,
      prices: async () => ({ now: 1n, usual: 1n }),
    };
    const engine = new SettlementEngine(ports);
    const { outcomes, sender } = engine;
    const recovery = new SettlementRecovery({ ...ports, sender, outcomes, paidByOthers: async () => [] });
    return { engine, recovery };
  }

  /** Turns of recovery and attempts until every payment has its outcome. */
  async finish(): Promise<void> {
    const { engine, recovery } = this.boot(new Gate());
    for (let turn = 0; turn < TURNS_MAX && !this.isFinal(); turn++) {
      await recovery.step();
      await Promise.allSettled(this.ids.map((id) => engine.settle(id, true)));
    }
  }

  /** What the log says that the settler's transactions cost, by block. */
  standingFees(): ReadonlyMap<string, bigint> {
    const sums = new Map<string, bigint>();
    for (const events of this.fees.streams.values()) {
      const fee = standingFee(events as readonly NetworkFeeEvent[]);
      if (fee) sums.set(fee.blockHash, (sums.get(fee.blockHash) ?? 0n) + BigInt(fee.share));
    }
    return sums;
  }

  isFinal(): boolean {
    return this.ids.every((id) => this.isClosed(id));
  }

  private isClosed(id: PaymentId): boolean {
    return !isOpen(this.payments.state(id));
  }

  transfersOf(id: PaymentId): number {
    const nonce = this.ids.indexOf(id) + 1;
    return this.chain.uses.filter(({ item }) => BigInt(item.authorization.nonce) === BigInt(nonce)).length;
  }
}

/** Odd payments belong to one tenant, even ones to another. */
function tenantOf(id: PaymentId): string {
  return Number(id.slice('pay_'.length)) % 2 ? 'odd' : 'even';
}

function itemsOf(ids: readonly PaymentId[]): ReadonlyMap<string, number> {
  const items = new Map<string, number>();
  for (const id of ids) items.set(tenantOf(id), (items.get(tenantOf(id)) ?? 0) + 1);
  return items;
}

/** Kills a process at its n-th call of a port: before the call has its effect, or after it, without its answer. */
export class Gate {
  calls = 0;
  private dead = false;

  constructor(
    private readonly at = Number.POSITIVE_INFINITY,
    private readonly when: 'before' | 'after' = 'before',
  ) {}

  guard<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, key) => {
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? this.guardCall(value.bind(target)) : value;
      },
    });
  }

  guardCall<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (this.dead) throw new Died();
      const last = ++this.calls === this.at;
      this.dead ||= last;
      if (last && this.when === 'before') throw new Died();
      const result = await call(...args);
      if (last) throw new Died();
      return result;
    };
  }
}

export function busyWorld(): World {
  const world = new World();
  world.deliver(1, 'async', 100n);
  world.deliver(2, 'after', 100n);
  world.deliver(3, 'after', 0n);
  return world;
}

export async function firstLife(world: World, gate: Gate): Promise<void> {
  const { engine } = world.boot(gate);
  await Promise.allSettled(world.ids.map((id) => engine.settle(id, false)));
}

/** Each transaction's gas once, in the block that holds it now. */
export function expectGasBooked(world: World): void {
  const blocks = world.book.rows.flatMap(({ block }) => block?.hash ?? []);
  expect(world.standingFees()).toEqual(new Map(blocks.map((hash) => [hash, FakeChain.gas.fee])));
}

/** Of all that was signed for a nonce one is in a block, and the others are given up. */
export function expectSlotsMinedOnce(world: World): void {
  const mined = world.book.rows.filter(({ status }) => status === 'mined').map(slotOf);
  expect(new Set(mined).size).toBe(mined.length);
  expect(new Set(mined)).toEqual(new Set(world.book.rows.map(slotOf)));
  expect(world.book.rows.filter(({ status }) => status === 'submitted')).toEqual([]);
}

export function slotOf({ nonce, settler }: NonceSlot): string {
  return `${settler}/${nonce}`;
}
