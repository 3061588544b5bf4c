import { Gauge, type Registry } from 'prom-client';
import type { SettlementChain } from '../../base/chain/chain.js';
import { withTimeout } from '../../base/platform/with-timeout.js';

/** Less than a scraper waits, in milliseconds. */
const ASK_MS = 2_000;

export type GasAccounts = Pick<SettlementChain, 'gasBalance' | 'network' | 'settlers'>;

/** What is left to settle with: without gas nothing is settled any more, so this is what an alarm should watch. */
export function addGasMetrics(registry: Registry, chain: GasAccounts): void {
  new Gauge({
    name: 'tollbook_settler_gas_wei',
    help: 'Balance of a settler in the coin that gas is paid in, in wei',
    labelNames: ['network', 'settler'],
    registers: [registry],
    async collect() {
      this.reset();
      await Promise.all(
        chain.settlers.map(async (settler) => {
          try {
            const wei = await withTimeout(chain.gasBalance(settler), ASK_MS, 'the chain did not answer in time');
            // Metrics are floating point; 15 digits of a balance are enough to watch it.
            this.set({ network: chain.network, settler }, Number(wei));
          } catch {
            // An observer fails open: no sample says that the chain could not be asked.
          }
        }),
      );
    },
  });
}
