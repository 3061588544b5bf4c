import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { TenantTimes } from '../customers/tenant-clock.js';
import type { UsageIngested } from '../metering/usage-ingested.js';
import type { AccountTaxesSet, MeterPriced } from './settings.js';

/** What invoices are reckoned from beside commitments, each with its place in the log: a cut decides what of it counts. */
export const billingProjection: Projection = {
  name: 'billing',
  version: 1,
  lagMs: 250,
  tables: ['usage_batches', 'meter_prices', 'account_taxes'],
  types: ['UsageIngested', 'MeterPriced', 'AccountTaxesSet', 'TenantClockAdvanced'],
  begin: () => {
    const times = new TenantTimes();
    return async (client, events) => {
      const at = await times.of(client, events);
      const of = (type: string) => events.filter((event) => event.type === type);
      await insertBatches(client, of('UsageIngested'), at);
      await insertPrices(client, of('MeterPriced'));
      await insertTaxes(client, of('AccountTaxesSet'));
    };
  },
};

async function insertBatches(client: PoolClient, events: readonly StoredEvent[], at: ReadonlyMap<StoredEvent, Date>) {
  if (events.length === 0) return;
  const data = events.map((event) => event.data as unknown as UsageIngested['data']);
  await client.query({
    name: 'usage-batches-insert',
    text: `insert into usage_batches (tenant, batch, position, from_at, to_at, arrived_at)
           select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])`,
    values: [
      events.map(({ tenant }) => tenant),
      data.map(({ batch }) => batch),
      events.map(({ position }) => position.toString()),
      data.map(({ from }) => from),
      data.map(({ to }) => to),
      events.map((event) => at.get(event)!),
    ],
  });
}

async function insertPrices(client: PoolClient, events: readonly StoredEvent[]) {
  if (events.length === 0) return;
  const data = events.map((event) => event.data as unknown as MeterPriced['data']);
  await client.query({
    name: 'meter-prices-insert',
    text: `insert into meter_prices (tenant, meter, customer, version, position, effective_from, charge)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::timestamptz[], $7::jsonb[])`,
    values: [
      data.map(({ tenant }) => tenant),
      data.map(({ meter }) => meter),
      data.map(({ customer = '' }) => customer),
      data.map(({ version }) => version),
      events.map(({ position }) => position.toString()),
      data.map(({ effectiveFrom }) => effectiveFrom),
      data.map(({ charge }) => JSON.stringify(charge)),
    ],
  });
}

async function insertTaxes(client: PoolClient, events: readonly StoredEvent[]) {
  if (events.length === 0) return;
  const data = events.map((event) => event.data as unknown as AccountTaxesSet['data']);
  await client.query({
    name: 'account-taxes-insert',
    text: `insert into account_taxes (tenant, customer, position, rates)
           select * from unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[])`,
    values: [
      data.map(({ tenant }) => tenant),
      data.map(({ customer }) => customer),
      events.map(({ position }) => position.toString()),
      data.map(({ rates }) => JSON.stringify(rates)),
    ],
  });
}
