import { privateKeyToAddress } from 'viem/accounts';
import type { Address } from '../../src/base/shared/hex.js';
import { randomKey } from '../chain/support.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { startSibling } from '../support/sibling.js';
import { introduce } from './customer.js';
import { type Provider, publishMarket, startProvider } from './market.js';

/** A Tollbook with the market published on it. */
export interface Site {
  /** The latest life of the process that has the engines. */
  readonly main: App;
  readonly provider: Provider;
  readonly payee: Address;
  /** Starts one more process on the engines and secrets of `main`. */
  join(role: 'gateway' | 'control' | 'worker'): Promise<App>;
  /** Starts `main` again, on the same data, once it has ended. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Tollbook with engines of its own, playing `role`, and opens the market on it. */
export async function openSite(role = 'all'): Promise<Site> {
  // First, so that a start that fails leaves nothing open, which would keep the run from ending.
  const first = await startApp({ postgres: 'own', env: { ROLE: role } });
  const provider = await startProvider();
  const payee = privateKeyToAddress(randomKey()).toLowerCase() as Address;
  const later: App[] = [];
  await publishMarket(first.engines.postgres, provider.url, payee);
  let main = first;
  return {
    get main() {
      return main;
    },
    provider,
    payee,
    async join(next) {
      const app = await startSibling(main, next);
      later.push(app);
      return app;
    },
    async restart() {
      main = await startApp({ dataDir: first.dataDir, env: { ROLE: role } });
    },
    async stop() {
      for (const app of later) await app.stop();
      await main.stop();
      // Removes the data, too.
      await first.stop();
      await provider.stop();
    },
  };
}

/** Waits until a gateway serves the market and knows its payer. */
export async function open(gateway: string): Promise<void> {
  await eventually(async () => (await introduce(gateway)).status === 200, 20_000);
}
