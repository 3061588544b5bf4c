import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { EarlierGas } from './earlier-gas.js';
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

export interface WorkerDeps extends EngineDeps, RefundDeps {
  readonly wallets: RefundWallets;
  readonly pool: Pool;
  readonly redisUrl: string;
  readonly upcast: Upcast;
}

/** What settles on one chain in one process: its queue, the sweep that fills it, the processor, recovery, and the refunds. */
export class SettlementWorker {
  readonly queue: SettlementQueue;
  private readonly processor: SettlementProcessor;
  private readonly sweep: WakeLoop;
  private readonly recovery: WakeLoop;
  private readonly earlierGas: WakeLoop;
  private readonly refunds: RefundWorker;

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
  }

  start(): void {
    this.processor.start();
    this.sweep.start();
    this.recovery.start();
    this.earlierGas.start();
    this.refunds.start();
  }

  async stop(): Promise<void> {
    const loops = [this.sweep, this.recovery, this.earlierGas, this.refunds, this.processor];
    await Promise.all(loops.map((loop) => loop.stop()));
    await this.queue.close();
  }
}
