import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Tenant } from '../../domains/pricing/catalogue.schemas.js';
import { nobodyHasGas } from '../../domains/settlement/gas-watch.js';
import type { GasWatches } from '../../domains/settlement/gas-watches.js';

/** How old what is known may be, in milliseconds. */
const LOOK_MS = 5_000;

export interface GasDeskParts {
  readonly gas: Pick<GasWatches, 'byNetwork'>;
  /** Whether others settle for this tenant, so that no gas of ours is needed. */
  readonly isSettledByOthers: (tenant: string) => Promise<boolean>;
  readonly log: Logger;
}

/**
 * Knows on which chains no settler has gas, so that nothing is taken there that could not be collected. Of a chain that was not
 * asked yet, or does not answer, the last answer stands; before the first one, payments are taken.
 */
export class GasDesk {
  private readonly loops: readonly WakeLoop[];

  constructor(private readonly parts: GasDeskParts) {
    this.loops = [...parts.gas.byNetwork].map(([network, watch]) => {
      const look = () => watch.report().then(() => false);
      return new WakeLoop(`gas of settlers on ${network}`, look, LOOK_MS, parts.log);
    });
  }

  /** Does not wait for a chain. */
  start(): void {
    for (const loop of this.loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** Can a payment to this tenant be settled now? Asks a store only if its chain has nobody with gas. */
  canSettle({ id, network }: Pick<Tenant, 'id' | 'network'>): boolean | Promise<boolean> {
    // What health/ready was told counts here from then on.
    const latest = this.parts.gas.byNetwork.get(network)?.latest;
    return latest === undefined || !nobodyHasGas(latest) || this.parts.isSettledByOthers(id);
  }
}
