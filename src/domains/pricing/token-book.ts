import type { Pool } from 'pg';
import type { Token } from '../../base/chain/chain.js';
import type { Chains } from '../../base/chain/chains.js';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { ChainTokens } from './chain-tokens.js';

/**
 * The tokens that tenants are paid in, with signing domain and decimals read from their chain. A token that cannot be read
 * is missing here, and its routes take no payment until it can; a chain that is away holds up none of another.
 */
export class TokenBook {
  private readonly chains: ReadonlyMap<Network, ChainTokens>;

  constructor(
    pool: Pool,
    chains: Chains,
    private readonly tail: LogTail,
    log: Logger,
  ) {
    this.chains = new Map([...chains].map(([network, chain]) => [network, new ChainTokens(pool, chain, log)]));
  }

  /** @throws Error for a token of the configuration that cannot be paid in */
  async start(): Promise<void> {
    await this.all((tokens) => tokens.start());
    this.tail.onAppended(() => {
      for (const tokens of this.chains.values()) tokens.wake();
    });
  }

  async refresh(): Promise<void> {
    await this.all((tokens) => tokens.read());
  }

  async stop(): Promise<void> {
    await this.all((tokens) => tokens.stop());
  }

  /** Those of one chain; `undefined` if it is not served. */
  on(network: Network): Pick<ChainTokens, 'get' | 'keys'> | undefined {
    return this.chains.get(network);
  }

  /** The token a tenant is paid in, if its chain is served and has told about it. */
  tokenOf({ asset, network }: { readonly network: Network; readonly asset: Address }): Token | undefined {
    return this.chains.get(network)?.get(asset);
  }

  private async all(act: (tokens: ChainTokens) => Promise<unknown>): Promise<void> {
    await Promise.all([...this.chains.values()].map(act));
  }
}
