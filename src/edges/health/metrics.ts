import type { Pool } from 'pg';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { GasWatches } from '../../domains/settlement/gas-watches.js';
import { addGasMetrics } from './gas-metrics.js';
import { addRefundWalletMetric, type RefundMetricsDeps } from './refund-metrics.js';
import { addSealMetrics } from './seal-metrics.js';
import { addSettlementMetrics } from './settlement-metrics.js';

/** Adds Prometheus metrics of this process and of the book. What cannot be read is left out, never an error. */
export function addMetrics(registry: Registry, gas: GasWatches, refunds: RefundMetricsDeps): Registry {
  const { pool } = refunds;
  collectDefaultMetrics({ register: registry, prefix: 'tollbook_' });
  new Gauge({
    name: 'tollbook_payments',
    help: 'Payments by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      await observe(this, pool, 'select state as label, count(*)::text as value from payments group by state', 'state');
    },
  });
  for (const metric of projectionMetrics) addGauge(registry, pool, metric);
  addSealMetrics(registry, pool);
  addGasMetrics(registry, gas);
  addSettlementMetrics(registry, pool);
  addRefundWalletMetric(registry, refunds);
  return registry;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly query: string;
}

const head = '(select coalesce(max(position), 0) from events)';
const projectionMetrics: readonly Metric[] = [
  {
    name: 'tollbook_projection_lag_events',
    help: 'Events that a projection has not seen yet',
    query: `select name as label, (${head} - position)::text as value from projection_checkpoints`,
  },
  {
    name: 'tollbook_projection_lag_seconds',
    help: 'Age of the oldest event that a projection has not seen yet',
    query: `select name as label, coalesce(greatest(0, extract(epoch from clock_timestamp() - (
        select occurred_at from events e where e.position > c.position order by e.position limit 1))), 0)::text as value
      from projection_checkpoints c`,
  },
  {
    name: 'tollbook_projection_stopped',
    help: 'Position of the event that a projection cannot apply; 0 if it is not stopped',
    query: `select c.name as label, coalesce(c.stopped_at, r.stopped_at, 0)::text as value
      from projection_checkpoints c left join projection_rebuilds r on r.name = c.name`,
  },
  {
    name: 'tollbook_projection_rebuild_ratio',
    help: 'How much of a rebuild under way is done, 0 to 1',
    query: `select name as label, round(position::numeric / greatest(1, ${head}), 4)::text as value
      from projection_rebuilds`,
  },
];

function addGauge(registry: Registry, pool: Pool, { help, name, query }: Metric): void {
  new Gauge({
    name,
    help,
    labelNames: ['projection'],
    registers: [registry],
    async collect() {
      await observe(this, pool, query, 'projection');
    },
  });
}

async function observe(gauge: Gauge, pool: Pool, query: string, label: string): Promise<void> {
  gauge.reset();
  try {
    const { rows } = await pool.query<{ label: string; value: string }>(query);
    for (const row of rows) gauge.set({ [label]: row.label }, Number(row.value));
  } catch {
    // An observer fails open: the other metrics are still worth having.
  }
}
