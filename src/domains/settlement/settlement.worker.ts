import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import type { LogTail } from '../../base/event-store/log-tail.js';
import { ProjectionRunner } from '../../base/event-store/projection-runner.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { EarlierGas } from './earlier-gas.js';
import { type EngineDeps, SettlementEngine } from './settlement.engine.js';
import { settlementFeed } from './settlement.feed.js';
import { SettlementProcessor } from './settlement.processor.js';
import { SettlementQueue } from './settlement.queue.js';
import { readPaidByOthers, SettlementRecovery } from './settlement.recovery.js';
import { SettlementSweep } from './settlement.sweep.js';

const SWEEP_MS = 5_000;
const RECOVERY_MS = 3_000;
const EARLIER_GAS_MS = 60_000;

export interface WorkerDeps extends EngineDeps {
  readonly pool: Pool;
  readonly tail: LogTail;
  readonly redisUrl: string;
  readonly upcast: Upcast;
}

/** Everything that settles in one process: the feed and the sweep that queue, the processor, and recovery. */
export class SettlementWorker {
  private readonly queue: SettlementQueue;
  private readonly processor: SettlementProcessor;
  private readonly feed: ProjectionRunner;
  private readonly sweep: WakeLoop;
  private readonly recovery: WakeLoop;
  private readonly earlierGas: WakeLoop;

  constructor(deps: WorkerDeps) {
    const { chain, clock, log, pool, redisUrl, tail, upcast } = deps;
    const engine = new SettlementEngine(deps);
    this.queue = new SettlementQueue(redisUrl, clock, log);
    this.processor = new SettlementProcessor(redisUrl, engine, clock, log);
    this.feed = new ProjectionRunner(pool, tail, settlementFeed(this.queue, upcast), log, upcast);
    const sweep = new SettlementSweep(pool, this.queue, chain.network, upcast);
    this.sweep = new WakeLoop('settlement sweep', () => sweep.step(), SWEEP_MS, log);
    const recovery = new SettlementRecovery({
      ...deps,
      sender: engine.sender,
      outcomes: engine.outcomes,
      paidByOthers: readPaidByOthers(pool, chain.network),
    });
    this.recovery = new WakeLoop('settlement recovery', () => recovery.step().then(() => false), RECOVERY_MS, log);
    const gas = new EarlierGas(pool, chain, engine.outcomes);
    this.earlierGas = new WakeLoop('gas of earlier settlements', () => gas.step(), EARLIER_GAS_MS, log);
  }

  start(): void {
    this.processor.start();
    this.feed.start();
    this.sweep.start();
    this.recovery.start();
    this.earlierGas.start();
  }

  async stop(): Promise<void> {
    const loops = [this.feed, this.sweep, this.recovery, this.earlierGas, this.processor];
    await Promise.all(loops.map((loop) => loop.stop()));
    await this.queue.close();
  }
}
