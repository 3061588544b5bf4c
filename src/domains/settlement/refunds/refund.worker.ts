import { WakeLoop } from '../../../base/platform/wake-loop.js';
import { RefundFinder } from './refund.finder.js';
import { RefundRecovery } from './refund.recovery.js';
import { RefundSender, type RefundSenderDeps } from './refund.sender.js';

const SEND_MS = 1_000;
const FIND_MS = 5_000;
const RECOVERY_MS = 3_000;

/** Everything that follows refunds on one chain. Safe in any number of processes. */
export class RefundWorker {
  private readonly loops: readonly WakeLoop[];

  constructor(deps: RefundSenderDeps) {
    const { chain, log } = deps;
    const [sender, finder, recovery] = [new RefundSender(deps), new RefundFinder(deps), new RefundRecovery(deps)];
    this.loops = [
      new WakeLoop(`refunds on ${chain.network}`, () => sender.step().then(() => false), SEND_MS, log),
      new WakeLoop(`search for refunds on ${chain.network}`, () => finder.step().then(() => false), FIND_MS, log),
      new WakeLoop(
        `reorganized refunds on ${chain.network}`,
        () => recovery.step().then(() => false),
        RECOVERY_MS,
        log,
      ),
    ];
  }

  start(): void {
    for (const loop of this.loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}
