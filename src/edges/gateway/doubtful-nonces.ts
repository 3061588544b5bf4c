import type { Pool } from 'pg';
import type { SettlementChain } from '../../base/chain/chain.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { type Clock, epochSeconds } from '../../base/shared/clock.js';
import type { Network } from '../../base/shared/hex.js';
import { settlementsLostUntil } from '../../domains/settlement/lost-settlements.js';
import { VALIDITY_MAX_SECONDS } from './terms.js';

const RETRY_MS = 5_000;
/** Later than any authorization lasts. */
const ALWAYS = 2n ** 256n;

export interface DoubtfulNoncesParts {
  readonly chains: readonly SettlementChain[];
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Which authorizations may have been used by payments that a restore lost. No such payment was taken for longer than the
 * longest validity. As long as a chain has not been asked about its settlements, all of its authorizations are doubtful.
 */
export class DoubtfulNonces {
  private readonly found = new Map<Network, bigint>();
  private readonly loops: readonly WakeLoop[];

  constructor(private readonly parts: DoubtfulNoncesParts) {
    this.loops = parts.chains.map((chain) => {
      const name = `lost settlements on ${chain.network}`;
      return new WakeLoop(name, () => this.look(chain).then(() => false), RETRY_MS, parts.log);
    });
  }

  /** Resolves when each chain was asked once; those that were away are asked again until they answer. */
  async start(): Promise<void> {
    await Promise.allSettled(this.parts.chains.map((chain) => this.look(chain)));
    this.parts.chains.forEach(({ network }, n) => {
      if (!this.found.has(network)) this.loops[n]!.start();
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** Epoch seconds: authorizations that lapse by then have their nonce looked up. */
  until(network: Network): bigint {
    return this.found.get(network) ?? ALWAYS;
  }

  private async look(chain: SettlementChain): Promise<void> {
    const { clock, log, pool } = this.parts;
    const { network } = chain;
    if (this.found.has(network)) return;
    const lostUntil = await settlementsLostUntil(pool, chain, clock());
    const until = lostUntil === undefined ? 0 : epochSeconds(lostUntil) + VALIDITY_MAX_SECONDS;
    if (until > epochSeconds(clock()))
      log.warn({ network, until }, 'the chain has settlements that the log lost: nonces are looked up');
    this.found.set(network, BigInt(until));
  }
}
