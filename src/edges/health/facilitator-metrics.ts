import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../base/shared/clock.js';
import { mayBeAsked, scoreOf } from '../../domains/settlement/facilitators/facilitator-health.js';
import type { Posted } from '../../domains/settlement/facilitators/health-board.js';
import type { FacilitatorHealths } from './facilitator-healths.js';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  values(posted: Posted, now: number): readonly (readonly [label: string, value: number])[];
}

const metrics: readonly Metric[] = [
  {
    name: 'tollbook_facilitator_requests',
    help: 'Settlements asked of a facilitator, by what the chain made of them; begins anew when Redis is emptied',
    labels: ['result'],
    values: ({ results }) => Object.entries(results),
  },
  {
    name: 'tollbook_facilitator_score',
    help: 'How well a facilitator does of late, 0 to 1: the best is asked first',
    values: ({ health }) => [['', scoreOf(health)]],
  },
  {
    name: 'tollbook_facilitator_circuit_open',
    help: '1 while a facilitator is not asked, since it failed or lied, 0 otherwise',
    values: ({ health }, now) => [['', mayBeAsked(health, now) ? 0 : 1]],
  },
];

/** What an alarm watches of outside facilitators. Without Redis there are no samples. */
export function addFacilitatorMetrics(
  registry: Registry,
  healths: Pick<FacilitatorHealths, 'read'>,
  clock: Clock,
): void {
  for (const { help, labels = [], name, values } of metrics) {
    new Gauge({
      name,
      help,
      labelNames: ['network', 'tenant', 'facilitator', ...labels],
      registers: [registry],
      async collect() {
        this.reset();
        for (const posted of (await healths.read()) ?? []) {
          const { network, tenant, url: facilitator } = posted;
          for (const [label, value] of values(posted, clock())) {
            this.set({ network, tenant, facilitator, ...(label === '' ? {} : { result: label }) }, value);
          }
        }
      },
    });
  }
}
