import type { Pool } from 'pg';
import { ofSameStream } from '../../base/event-store/stream-key.js';
import type { CatalogueRows } from './catalogue.rows.js';

/** What is published: of every tenant, or of one. */
/** As long as an offer stands at most, which is `maxTimeoutSeconds` of a route. What stood before a withdrawal is not honoured. */
const FORMER_TARIFFS = `
  with told as (
    select r.tenant, r.id, a.version, a.data->'route'->>'tariff' as tariff,
      lead(a.data->'route'->>'tariff') over w as next, lead(a.occurred_at) over w as until,
      max(a.version) filter (where a.type = 'RouteWithdrawn') over (partition by a.stream) as withdrawn
    from routes r join events a on ${ofSameStream("'route/' || r.tenant || '/' || r.id")}
    where r.revision > 1 and ($1::text is null or r.tenant = $1)
    window w as (partition by a.stream order by a.version))
  select tenant, id as route, tariff, max(until) as until from told
  where until > now() - interval '1 hour' and version > coalesce(withdrawn, 0) and tariff <> next
  group by tenant, id, tariff`;

export async function readCatalogueRows(pool: Pool, tenant?: string): Promise<CatalogueRows> {
  const of = [tenant ?? null];
  const [tenants, routes, tariffs, former] = await Promise.all([
    pool.query<Record<string, unknown>>(
      `select id, host, upstream, upstream_secret as "upstreamSecret", allow_private_upstream as "allowPrivateUpstream",
         payee, network, asset from tenants where $1::text is null or id = $1`,
      of,
    ),
    pool.query<CatalogueRows['routes'][number]>(
      'select tenant, id, config from routes where $1::text is null or tenant = $1',
      of,
    ),
    pool.query<CatalogueRows['tariffs'][number]>(
      `select tenant, id, version, effective_from as "effectiveFrom", rules from tariffs
       where $1::text is null or tenant = $1`,
      of,
    ),
    pool.query<NonNullable<CatalogueRows['formerTariffs']>[number]>(FORMER_TARIFFS, of),
  ]);
  return { tenants: tenants.rows, routes: routes.rows, tariffs: tariffs.rows, formerTariffs: former.rows };
}
