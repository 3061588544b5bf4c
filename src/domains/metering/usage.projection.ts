import type { PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { readFirstEvents } from '../../base/event-store/rows.js';

const BEGINNINGS: readonly string[] = ['PaymentAuthorized', 'FreeRequestGranted', 'CommitmentAccepted'];
const DELIVERIES: readonly string[] = ['RequestDelivered', 'FreeRequestDelivered', 'CommitmentDelivered'];

/** What the meter reads from the authorization that began a delivered payment. */
interface Metered {
  readonly tenant: string;
  readonly route: string;
  readonly units: string;
  /** It was paid into an account: nothing was used. */
  readonly account?: string;
  readonly terms: { readonly payer: string; readonly asset: string; readonly amount: string };
}

interface Total {
  readonly tenant: string;
  readonly route: string;
  readonly payer: string;
  readonly asset: string;
  readonly day: string;
  requests: bigint;
  units: bigint;
  amount: bigint;
  /** Position of the last delivery that was added. */
  moved: bigint;
}

/**
 * Delivered requests, units and charges per tenant, route, payer, asset and UTC day.
 *
 * @param upcast for the authorizations that it reads itself
 */
export function usageProjection(upcast: Upcast): Projection {
  return {
    name: 'usage',
    version: 3,
    types: [...BEGINNINGS, ...DELIVERIES],
    lagMs: 250,
    tables: ['usage_days'],
    begin: () => async (client, events) => {
      const deliveries = events.filter(({ type }) => DELIVERIES.includes(type));
      if (deliveries.length === 0) return;
      await addTotals(client, totalsOf(deliveries, await authorizations(client, events, deliveries, upcast)));
    },
  };
}

/** Mostly in the same batch; the others are read. */
async function authorizations(
  client: PoolClient,
  events: readonly StoredEvent[],
  deliveries: readonly StoredEvent[],
  upcast: Upcast,
) {
  const found = new Map<string, Metered>();
  for (const event of events) {
    if (BEGINNINGS.includes(event.type)) found.set(event.stream, meteredOf(event));
  }
  const missing = deliveries.map((event) => event.stream).filter((stream) => !found.has(stream));
  if (missing.length === 0) return found;
  for (const event of await readFirstEvents(client, missing, upcast)) {
    found.set(event.stream, meteredOf(event));
  }
  return found;
}

/** A request within an allowance is used like any other, for nothing; the payer of a commitment is its account. */
function meteredOf({ data, type }: StoredEvent): Metered {
  if (type === 'PaymentAuthorized') return data as unknown as Metered;
  const { amount, asset, customer, payer, route, tenant, units } = data as unknown as Metered &
    Metered['terms'] & { readonly customer: string };
  if (type === 'CommitmentAccepted') return { tenant, route, units, terms: { payer: customer, asset, amount } };
  return { tenant, route, units, terms: { payer, asset, amount: '0' } };
}

/** Of a commitment what was used, at most what was accepted. */
function actualOf({ data, type }: StoredEvent, metered: Metered): { readonly units: string; readonly amount: string } {
  if (type !== 'CommitmentDelivered') return { units: metered.units, amount: metered.terms.amount };
  const { charged, units } = data as unknown as { readonly charged: string; readonly units: string };
  return { units, amount: charged };
}

/** Pure: sums a batch of deliveries. */
export function totalsOf(events: readonly StoredEvent[], authorized: ReadonlyMap<string, Metered>): Total[] {
  const totals = new Map<string, Total>();
  for (const event of events) {
    const metered = authorized.get(event.stream);
    if (!metered) throw new Error(`delivery without authorization at ${event.position}`);
    const { route, tenant } = metered;
    if (metered.account !== undefined) continue;
    const { asset, payer } = metered.terms;
    const { amount, units } = actualOf(event, metered);
    const day = event.occurredAt.toISOString().slice(0, 10);
    const key = [tenant, route, payer, asset, day].join('\n');
    const total = totals.get(key) ?? {
      tenant,
      route,
      payer,
      asset,
      day,
      requests: 0n,
      units: 0n,
      amount: 0n,
      moved: 0n,
    };
    total.requests += 1n;
    total.units += BigInt(units);
    total.amount += BigInt(amount);
    total.moved = event.position;
    totals.set(key, total);
  }
  return [...totals.values()];
}

async function addTotals(client: PoolClient, totals: readonly Total[]): Promise<void> {
  const text = (pick: (total: Total) => string | bigint) => totals.map((total) => String(pick(total)));
  await client.query({
    name: 'usage-add',
    text: `insert into usage_days as d (tenant, route, payer, asset, day, requests, units, amount, moved)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::numeric[],
             $8::numeric[], $9::bigint[])
           on conflict (tenant, route, payer, asset, day) do update set requests = d.requests + excluded.requests,
             units = d.units + excluded.units, amount = d.amount + excluded.amount, moved = excluded.moved`,
    values: [
      text((total) => total.tenant),
      text((total) => total.route),
      text((total) => total.payer),
      text((total) => total.asset),
      text((total) => total.day),
      text((total) => total.requests),
      text((total) => total.units),
      text((total) => total.amount),
      text((total) => total.moved),
    ],
  });
}
