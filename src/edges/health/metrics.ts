import type { Pool } from 'pg';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Prometheus metrics of this process and of the book. What cannot be read is left out, never an error. */
export function createMetrics(pool: Pool): Registry {
  const registry = new Registry();
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
  new Gauge({
    name: 'tollbook_projection_lag_events',
    help: 'Events that a projection has not seen yet',
    labelNames: ['projection'],
    registers: [registry],
    async collect() {
      const lag = `select name as label, (coalesce((select max(position) from events), 0) - position)::text as value
        from projection_checkpoints`;
      await observe(this, pool, lag, 'projection');
    },
  });
  return registry;
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
