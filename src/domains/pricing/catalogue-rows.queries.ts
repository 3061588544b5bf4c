import type { Pool } from 'pg';
import type { CatalogueRows } from './catalogue.rows.js';

/** What is published: of every tenant, or of one. */
export async function readCatalogueRows(pool: Pool, tenant?: string): Promise<CatalogueRows> {
  const of = [tenant ?? null];
  const [tenants, routes, tariffs] = await Promise.all([
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
  ]);
  return { tenants: tenants.rows, routes: routes.rows, tariffs: tariffs.rows };
}
