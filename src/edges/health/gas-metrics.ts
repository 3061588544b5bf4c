import { Gauge, type Registry } from 'prom-client';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { GasReport, GasWatch } from '../../domains/settlement/gas-watch.js';

/** Less than a scraper waits, in milliseconds. */
const ASK_MS = 2_000;

interface Metric {
  readonly name: string;
  readonly help: string;
  value(report: GasReport, settler: GasReport['settlers'][number]): bigint | boolean;
}

/** What an alarm watches: without gas nothing is settled any more. */
const metrics: readonly Metric[] = [
  {
    name: 'tollbook_settler_gas_wei',
    help: 'Balance of a settler in the coin that gas is paid in, in wei',
    value: (_, { balance }) => balance,
  },
  {
    name: 'tollbook_settler_gas_needed_wei',
    help: 'Balance in wei below which a settler gets nothing to settle; follows the price of gas',
    value: ({ needed }) => needed,
  },
  {
    name: 'tollbook_settler_gas_low',
    help: '1 if the settler is low on gas and gets nothing to settle, 0 otherwise',
    value: (_, { low }) => low,
  },
  {
    name: 'tollbook_gas_above_cap',
    help: '1 if gas costs more than the cap, so that nothing new is sent, 0 otherwise',
    value: ({ capped }) => capped !== undefined,
  },
];

export function addGasMetrics(registry: Registry, gas: Pick<GasWatch, 'report'>): void {
  for (const { help, name, value } of metrics) {
    new Gauge({
      name,
      help,
      labelNames: ['network', 'settler'],
      registers: [registry],
      async collect() {
        this.reset();
        try {
          const report = await withTimeout(gas.report(), ASK_MS, 'the chain did not answer in time');
          // Metrics are floating point; 15 digits of a balance are enough to watch it.
          for (const one of report.settlers) {
            this.set({ network: report.network, settler: one.settler }, Number(value(report, one)));
          }
        } catch {
          // An observer fails open: no sample says that the chain could not be asked.
        }
      },
    });
  }
}
