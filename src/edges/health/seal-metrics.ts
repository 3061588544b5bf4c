import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';

/** What an alarm watches: unsealed events that grow, or that get old, mean that nothing seals. */
export function addSealMetrics(registry: Registry, pool: Pool): void {
  addGauge(registry, pool, {
    name: 'tollbook_unsealed_events',
    help: 'Events behind the newest seal',
    query: `select greatest(0, coalesce((select max(position) from events), 0)
      - coalesce((select max(to_position) from seal_leaves), 0))::text as value`,
  });
  addGauge(registry, pool, {
    name: 'tollbook_newest_seal_age_seconds',
    help: 'Time since the log was sealed last; it grows, too, while there is nothing to seal',
    query: `select extract(epoch from now() - sealed_at)::text as value from seals order by number desc limit 1`,
  });
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly query: string;
}

function addGauge(registry: Registry, pool: Pool, { help, name, query }: Metric): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      this.remove();
      try {
        const { rows } = await pool.query<{ value: string }>(query);
        for (const { value } of rows) this.set(Number(value));
      } catch {
        // An observer fails open: the other metrics are still worth having.
      }
    },
  });
}
