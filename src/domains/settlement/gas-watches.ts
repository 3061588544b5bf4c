import type { SettlementChain } from '../../base/chain/chain.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Network } from '../../base/shared/hex.js';
import { GasWatch } from './gas-watch.js';

/** Who watches the settlers' gas on each chain. */
export class GasWatches {
  readonly byNetwork: ReadonlyMap<Network, Pick<GasWatch, 'latest' | 'report'>>;

  constructor(chains: readonly SettlementChain[], clock: Clock, log: Logger) {
    this.byNetwork = new Map(chains.map((chain) => [chain.network, new GasWatch(chain, clock, log)]));
  }
}
