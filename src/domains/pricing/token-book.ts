import type { Pool } from 'pg';
import type { Token } from '../../base/chain/chain.js';
import type { ChainClient } from '../../base/chain/chain-client.js';
import { loadToken } from '../../base/chain/tokens.js';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Address, Network } from '../../base/shared/hex.js';

const REFRESH_MS = 10_000;

/**
 * The tokens that tenants are paid in, with their signing domain read from the chain. A token that cannot be read is
 * missing here, and its routes take no payment until it can.
 */
export class TokenBook {
  private readonly tokens = new Map<Address, Token>();
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly client: ChainClient,
    private readonly network: Network,
    private readonly tail: LogTail,
    private readonly log: Logger,
  ) {
    this.loop = new WakeLoop('tokens', () => this.read(), REFRESH_MS, log);
  }

  async start(): Promise<void> {
    await this.refresh();
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  async refresh(): Promise<void> {
    await this.read();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  get(address: Address): Token | undefined {
    return this.tokens.get(address);
  }

  keys(): MapIterator<Address> {
    return this.tokens.keys();
  }

  /** The token a tenant is paid in, if it is on the chain that this process serves. */
  tokenOf(tenant: { readonly network: Network; readonly asset: Address }): Token | undefined {
    return tenant.network === this.network ? this.tokens.get(tenant.asset) : undefined;
  }

  private async read(): Promise<boolean> {
    const { rows } = await this.pool.query<{ asset: Address }>(
      'select distinct asset from tenants where network = $1',
      [this.network],
    );
    for (const { asset } of rows) {
      if (this.tokens.has(asset)) continue;
      try {
        this.tokens.set(asset, await loadToken(this.client, this.network, asset));
      } catch (error) {
        this.log.error({ asset, err: (error as Error).message }, 'a token cannot be used');
      }
    }
    return false;
  }
}
