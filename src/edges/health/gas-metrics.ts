import { Gauge, type Registry } from 'prom-client';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { GasReport } from '../../domains/settlement/gas-watch.js';
import type { GasWatches } from '../../domains/settlement/gas-watches.js';

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

export function addGasMetrics(registry: Registry, gas: GasWatches): void {
  const reports = () =>
    Promise.all(
      [...gas.byNetwork].map(async ([network, watch]) => {
        // An observer fails open: what is missing says that the chain could not be asked.
        const asked = withTimeout(watch.report(), ASK_MS, 'the chain did not answer in time');
        return { network, report: await asked.catch(() => undefined) };
      }),
    );
  new Gauge({
    name: 'tollbook_chain_up',
    help: '1 if a node of the chain answers, 0 otherwise',
    labelNames: ['network'],
    registers: [registry],
    async collect() {
      for (const { network, report } of await reports()) this.set({ network }, report === undefined ? 0 : 1);
    },
  });
  for (const { help, name, value } of metrics) {
    new Gauge({
      name,
      help,
      labelNames: ['network', 'settler'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const { network, report } of await reports()) {
          // Metrics are floating point; 15 digits of a balance are enough to watch it.
          for (const one of report?.settlers ?? []) {
            this.set({ network, settler: one.settler }, Number(value(report!, one)));
          }
        }
      },
    });
  }
}
