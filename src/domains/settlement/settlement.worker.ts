import type { Pool } from 'pg';
import type { ChainClient } from '../../base/chain/chain-client.js';
import type { Upcast } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { paymentStream } from '../payments/payment.js';
import { EarlierGas } from './earlier-gas.js';
import { readOpenSettlements } from './open-settlement.js';
import type { Reconciler } from './reconciler.js';
import { assembleReconciler } from './reconciler-parts.js';
import type { RefundDeps } from './refunds/refund.ports.js';
import { RefundWorker } from './refunds/refund.worker.js';
import type { RefundWallets } from './refunds/refund-wallets.js';
import { type EngineDeps, SettlementEngine } from './settlement.engine.js';
import { SettlementProcessor } from './settlement.processor.js';
import { SettlementQueue } from './settlement.queue.js';
import { readPaidByOthers, SettlementRecovery } from './settlement.recovery.js';
import { SettlementSweep } from './settlement.sweep.js';

const SWEEP_MS = 5_000;
const RECOVERY_MS = 3_000;
const EARLIER_GAS_MS = 60_000;
const FOLLOW_MS = 1_000;

export interface WorkerDeps extends EngineDeps, RefundDeps {
  readonly wallets: RefundWallets;
  readonly pool: Pool;
  readonly redisUrl: string;
  readonly upcast: Upcast;
  readonly store: EventStore;
  readonly client: ChainClient;
  /** See `WalletOpener`. */
  readonly earlierSeconds?: bigint;
}

/** What settles on one chain in one process: its queue, the sweep that fills it, the processor, recovery, refunds, and the reconciler. */
export class SettlementWorker {
  readonly queue: SettlementQueue;
  private readonly processor: SettlementProcessor;
  private readonly sweep: WakeLoop;
  private readonly recovery: WakeLoop;
  private readonly earlierGas: WakeLoop;
  private readonly refunds: RefundWorker;
  private readonly reconciler: Reconciler;
  private readonly following: WakeLoop;

  constructor(deps: WorkerDeps) {
    const { chain, clock, log, pool, redisUrl, upcast } = deps;
    const { network } = chain;
    const engine = new SettlementEngine(deps);
    this.queue = new SettlementQueue(redisUrl, network, clock, log);
    this.processor = new SettlementProcessor(redisUrl, network, engine, clock, log);
    const sweep = new SettlementSweep(pool, this.queue, network, upcast);
    this.sweep = new WakeLoop(`settlement sweep on ${network}`, () => sweep.step(), SWEEP_MS, log);
    const recovery = new SettlementRecovery({
      ...deps,
      sender: engine.sender,
      outcomes: engine.outcomes,
      paidByOthers: readPaidByOthers(pool, network),
    });
    this.recovery = new WakeLoop(
      `settlement recovery on ${network}`,
      () => recovery.step().then(() => false),
      RECOVERY_MS,
      log,
    );
    const gas = new EarlierGas(pool, chain, engine.outcomes);
    this.earlierGas = new WakeLoop(`gas of earlier settlements on ${network}`, () => gas.step(), EARLIER_GAS_MS, log);
    this.refunds = new RefundWorker({ ...deps, sender: engine.sender });
    this.reconciler = assembleReconciler({
      ...deps,
      network,
      hurry: async (ids) => this.queue.hurry(await readOpenSettlements(pool, ids.map(paymentStream), upcast)),
      verifyOthers: () => recovery.verifyOthers(),
    });
    this.following = new WakeLoop(`reconciler of ${network}`, () => this.reconciler.step(), FOLLOW_MS, log);
  }

  start(): void {
    this.processor.start();
    this.sweep.start();
    this.recovery.start();
    this.earlierGas.start();
    this.refunds.start();
    this.following.start();
  }

  async stop(): Promise<void> {
    const loops = [this.sweep, this.recovery, this.earlierGas, this.refunds, this.following, this.processor];
    await Promise.all(loops.map((loop) => loop.stop()));
    // What cannot be given back lapses.
    await this.reconciler.stop().catch(() => undefined);
    await this.queue.close();
  }
}
