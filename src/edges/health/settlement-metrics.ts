import type { Pool } from 'pg';
import { Counter, Gauge, type Registry } from 'prom-client';
import { OPEN_STATES } from '../../domains/payments/settle.decide.js';
import { beforeGauges } from './before-metrics.js';
import type { QueriedGauge } from './gauge.js';
import { reconcilerGauges } from './reconciler-metrics.js';
import { refundGauges } from './refund-metrics.js';

/** Open, that is, to be settled: few rows, which an index on the state finds. */
const open = OPEN_STATES.map((state) => `'${state}'`).join(', ');
const unsettled = `from payments where state in (${open}) group by network, asset`;

/** What an alarm watches: value that is not on the chain yet. */
const gauges: readonly QueriedGauge[] = [
  {
    name: 'tollbook_unsettled_value_atomic_units',
    help: 'Value delivered, or to be settled before it is delivered, and not settled yet, in atomic units of the asset',
    labels: ['network', 'asset'],
    query: `select network, asset, sum(amount)::text as value ${unsettled}`,
  },
  {
    name: 'tollbook_unsettled_oldest_age_seconds',
    help: 'Time since the delivery, or in mode before the authorization, of the oldest payment that is not settled yet',
    labels: ['network', 'asset'],
    query: `select network, asset, greatest(0, extract(epoch from now() - min(coalesce(delivered_at, authorized_at))))::text as value ${unsettled}`,
  },
  {
    name: 'tollbook_exposure_atomic_units',
    help: 'Value held for requests answered before the money moves, of payers that failed to pay as well, in atomic units of the asset',
    labels: ['network', 'asset'],
    // The key of a payer's exposure has five parts; one without the payer adds the same value up for a tenant's limit.
    query: `select split_part(key, '/', 3) as network, split_part(key, '/', 4) as asset, sum(held)::text as value
      from hold_totals where key like 'exposure/%/%/%/%' group by 1, 2`,
  },
  {
    name: 'tollbook_settler_unmined_transactions',
    help: 'Nonces of a settler whose transaction is in no block yet',
    labels: ['network', 'settler'],
    query: `select network, settler, count(distinct nonce)::text as value
      from settlement_transactions where status = 'submitted' group by network, settler`,
  },
];

export function addSettlementMetrics(registry: Registry, pool: Pool): void {
  for (const metric of [...gauges, ...beforeGauges, ...reconcilerGauges, ...refundGauges])
    addGauge(registry, pool, metric);
  addSpendingMetrics(registry, pool);
}

function addGauge(registry: Registry, pool: Pool, { help, labels, name, query }: QueriedGauge): void {
  new Gauge({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    async collect() {
      this.reset();
      try {
        const { rows } = await pool.query<{ value: string } & Record<string, string>>(query);
        for (const { value, ...labelled } of rows) this.set(labelled, Number(value));
      } catch {
        // An observer fails open: the other metrics are still worth having.
      }
    },
  });
}

interface Spent {
  readonly network: string;
  readonly gas: string;
  readonly fee: string;
  readonly payments: string;
}

/** Of the log's part behind `$1`; an event has one tenant's part of a transaction. */
const SPENT_SINCE = `
  with head as materialized (select coalesce(max(position), 0) as position from events)
  select h.position::text as head, e.data->>'network' as network, sum((e.data->>'share')::numeric)::text as fee,
    sum((e.data->>'items')::int)::text as payments,
    sum(case (e.data->>'of')::int when 0 then (e.data->>'gasUsed')::numeric
      else (e.data->>'gasUsed')::numeric * (e.data->>'items')::int / (e.data->>'of')::int end)::text as gas
  from head h left join events e on e.position > $1 and e.position <= h.position and e.type = 'NetworkFeePaid'
  group by 1, 2`;

/** Gas over payments is the gas per payment. Counted from the log, from when this process was first asked. */
function addSpendingMetrics(registry: Registry, pool: Pool): void {
  let position: string | undefined;
  let reading: Promise<void> | undefined;
  const counters: Record<Exclude<keyof Spent, 'network'>, Counter> = {
    gas: counter('tollbook_settlement_gas_total', 'Gas of the settlement transactions in blocks'),
    fee: counter('tollbook_settlement_fee_wei_total', 'Fees of the settlement transactions in blocks, in wei'),
    payments: counter('tollbook_settlement_payments_total', 'Payments in the settlement transactions in blocks'),
  };

  async function read(): Promise<void> {
    const { rows } = await pool.query<{ head: string } & { [K in keyof Spent]: Spent[K] | null }>(SPENT_SINCE, [
      position,
    ]);
    position = rows[0]!.head;
    for (const { network, ...amounts } of rows) {
      if (network === null) continue;
      for (const name of ['gas', 'fee', 'payments'] as const) counters[name].inc({ network }, Number(amounts[name]));
    }
  }

  /** The three are shown of one moment. */
  function readOnce(): Promise<void> {
    reading ??= read()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  }

  function counter(name: string, help: string): Counter {
    return new Counter({ name, help, labelNames: ['network'], registers: [registry], collect: readOnce });
  }
}
