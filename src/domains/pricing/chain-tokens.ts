import type { Pool } from 'pg';
import { ChainUnavailable, type Token } from '../../base/chain/chain.js';
import type { Chain } from '../../base/chain/chains.js';
import { loadToken } from '../../base/chain/tokens.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Address } from '../../base/shared/hex.js';

const REFRESH_MS = 10_000;

/**
 * The tokens of one chain: those that tenants are paid in, and those that they were paid in before, since a tenant that moves on
 * leaves payments and refunds behind.
 */
export class ChainTokens {
  private readonly tokens = new Map<Address, Token>();
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly chain: Chain,
    private readonly log: Logger,
  ) {
    this.loop = new WakeLoop(`tokens of ${chain.settings.network}`, () => this.read(), REFRESH_MS, log);
  }

  /** @throws Error for a token of the configuration that cannot be paid in; one that cannot be read now is read later */
  async start(): Promise<void> {
    const { tokens } = this.chain.settings;
    await Promise.all(tokens.map((asset) => this.load(asset).catch(unlessAway)));
    await this.read();
    this.loop.start();
  }

  wake(): void {
    this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  get(asset: Address): Token | undefined {
    return this.tokens.get(asset);
  }

  keys(): MapIterator<Address> {
    return this.tokens.keys();
  }

  /** Reads those that are not known yet. */
  async read(): Promise<false> {
    const { network, tokens } = this.chain.settings;
    const { rows } = await this.pool.query<{ asset: Address }>(
      `select asset from tenants where network = $1
       union select e.data->>'asset' from tenants t join events e on stream_key(e.stream) = stream_key('tenant/' || t.id)
         and e.stream = 'tenant/' || t.id where e.type = 'TenantRegistered' and e.data->>'network' = $1`,
      [network],
    );
    const wanted = new Set([...tokens, ...rows.map(({ asset }) => asset)]);
    for (const asset of wanted) {
      if (this.tokens.has(asset)) continue;
      try {
        await this.load(asset);
      } catch (error) {
        this.log.error({ network, asset, err: (error as Error).message }, 'a token cannot be used');
        // Nor would the chain answer for the others.
        if (error instanceof ChainUnavailable) break;
      }
    }
    return false;
  }

  private async load(asset: Address): Promise<void> {
    const { client, settings } = this.chain;
    this.tokens.set(asset, await loadToken(client, settings.network, asset));
  }
}

function unlessAway(error: Error): void {
  if (!(error instanceof ChainUnavailable)) throw error;
}
