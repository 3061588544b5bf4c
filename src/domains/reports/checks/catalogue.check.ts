import { canonicalJson, type JsonObject } from '../../../base/shared/json.js';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';
import { inSnapshot } from './snapshot.js';

interface ComparedRow {
  readonly row: string;
  /** By the last publication; `null` if there is none. */
  readonly published: JsonObject | null;
  /** What gateways serve by; `null` if there is none. */
  readonly served: JsonObject | null;
}

const TABLES = [
  ...['tenants', 'routes', 'tariffs', 'payer_standings', 'allowances', 'customer_tariffs', 'customer_keys'],
  ...['facilitator_keys', 'ingestion_keys', 'accounts', 'account_keys', 'account_wallets', 'meters'],
];

/** What the log says was published last beside what gateways read. The secret is compared by its fingerprint. */
const COMPARED = `
  with said as (
    select distinct on (stream, case type when 'TariffPublished' then version end) stream, type, version, tenant, data from events
    where type in ('TenantRegistered', 'RoutePublished', 'RouteWithdrawn', 'TariffPublished', 'PayerListed', 'PayerUnlisted', 'ListModeChanged',
      'MeterPublished', 'MeterWithdrawn', 'AllowanceSet', 'AllowanceRemoved', 'CustomerTariffAssigned', 'CustomerTariffRemoved')
    order by stream, case type when 'TariffPublished' then version end, version desc),
  keys as (
    select distinct on (data->>'key') type, tenant, data->>'key' as key, first_value(data) over life as issued,
      coalesce(data->'expiresAt', first_value(data) over life -> 'expiresAt') as expires
    from events where type in ('CustomerKeyIssued', 'CustomerKeyExpiring', 'CustomerKeyRevoked')
    window life as (partition by data->>'key' order by position) order by data->>'key', position desc),
  accounts_said as (
    select stream, max(version) as revision, (array_agg(data order by version))[1] as opened,
      (array_agg(data->'creditLine' order by version desc) filter (where data ? 'creditLine'))[1] as line,
      (array_agg(data->'timeZone' order by version desc) filter (where data ? 'timeZone'))[1] as zone,
      (array_agg(data->'reason' order by version desc) filter (where type in ('AccountSuspended', 'AccountResumed')))[1] as suspended
    from events where stream like 'account/%' group by stream),
  account_parts as (
    select distinct on (stream, coalesce(data->>'key', data->>'wallet')) type, tenant, data,
      first_value(data->'jwk'->'x') over (partition by stream, data->>'key' order by version) as x
    from events where type in ('SigningKeyAdded', 'SigningKeyRevoked', 'WalletAttached', 'WalletDetached')
    order by stream, coalesce(data->>'key', data->>'wallet'), version desc),
  published as (
    select 'tenants ' || (data->>'id') as row, data || jsonb_build_object('revision', version) as says
      from said where type = 'TenantRegistered'
    union all
    select concat_ws(' ', 'routes', data->'route'->>'tenant', data->'route'->>'id'),
      data->'route' || jsonb_build_object('revision', data->'revision') from said where type = 'RoutePublished'
    union all
    select concat_ws(' ', 'tariffs', data->>'tenant', data->>'id', 'version', data->>'version'),
      data || jsonb_build_object('effectiveFrom', (data->>'effectiveFrom')::timestamptz) from said where type = 'TariffPublished'
    union all
    select concat_ws(' ', 'payer_standings', tenant, data->>'payer'), jsonb_build_object('reason', data->'reason',
      'standing', case data->>'list' when 'allow' then 'allowed' else 'denied' end) from said where type = 'PayerListed'
    union all
    select concat_ws(' ', 'payer_standings', tenant, '*'), jsonb_build_object('reason', 'list_mode',
      'standing', case data->>'mode' when 'open' then 'allowed' else 'denied' end) from said where type = 'ListModeChanged'
    union all
    select concat_ws(' ', 'allowances', tenant, coalesce(data->>'payer', '*')), jsonb_build_object('counts', data->'counts',
      'limit', data->'limit', 'period', data->'period') from said where type = 'AllowanceSet'
    union all
    select concat_ws(' ', 'customer_tariffs', tenant, data->>'payer', data->>'route'),
      jsonb_build_object('tariff', data->'tariff') from said where type = 'CustomerTariffAssigned'
    union all
    select concat_ws(' ', 'customer_keys', key), jsonb_build_object('tenant', tenant, 'payer', issued->'payer',
      'digest', issued->'digest', 'expires', (expires#>>'{}')::timestamptz, 'routes', issued->'routes') from keys where type <> 'CustomerKeyRevoked'
    union all
    select concat_ws(' ', case type when 'FacilitatorKeyIssued' then 'facilitator_keys' else 'ingestion_keys' end, data->>'key'),
      jsonb_build_object('tenant', tenant, 'digest', data->'digest')
      from events issued where type in ('FacilitatorKeyIssued', 'IngestionKeyIssued') and not exists (select from events revoked
        where revoked.stream = issued.stream and revoked.type = replace(issued.type, 'Issued', 'Revoked')
          and revoked.data->'key' = issued.data->'key')
    union all
    select concat_ws(' ', 'meters', tenant, data->>'id'), jsonb_build_object('revision', version, 'withdrawn', type = 'MeterWithdrawn',
      'rules', (select published.data->'rules' from events published where published.stream = said.stream
        and published.type = 'MeterPublished' order by version desc limit 1))
      from said where type in ('MeterPublished', 'MeterWithdrawn')
    union all
    select concat_ws(' ', 'accounts', split_part(stream, '/', 2), opened->>'customer'), jsonb_build_object('creditLine', line,
      'timeZone', zone, 'suspended', suspended, 'asset', opened->'asset', 'revision', revision) from accounts_said
    union all
    select concat_ws(' ', 'account_keys', tenant, data->>'key'), jsonb_build_object('customer', data->'customer', 'x', x)
      from account_parts where type = 'SigningKeyAdded'
    union all
    select concat_ws(' ', 'account_wallets', tenant, data->>'wallet'), jsonb_build_object('customer', data->'customer')
      from account_parts where type = 'WalletAttached'),
  served as (
    select 'tenants ' || id as row, jsonb_build_object('id', id, 'host', host, 'upstream', upstream,
      'allowPrivateUpstream', allow_private_upstream, 'payee', payee, 'network', network, 'asset', asset, 'revision', revision,
      'upstreamSecretFingerprint',
      left(translate(encode(sha256(convert_to(upstream_secret, 'UTF8')), 'base64'), '+/', '-_'), 16)) as says from tenants
    union all
    select concat_ws(' ', 'routes', tenant, id),
      config || jsonb_build_object('tenant', tenant, 'id', id, 'revision', revision) from routes
    union all
    select concat_ws(' ', 'tariffs', tenant, id, 'version', version), jsonb_build_object('tenant', tenant, 'id', id,
      'version', version, 'effectiveFrom', effective_from, 'rules', rules) from tariffs
    union all
    select concat_ws(' ', 'payer_standings', tenant, payer),
      jsonb_build_object('reason', reason, 'standing', standing) from payer_standings
    union all
    select concat_ws(' ', 'allowances', tenant, payer),
      jsonb_build_object('counts', counts, 'limit', quota::text, 'period', period) from allowances
    union all
    select concat_ws(' ', 'customer_tariffs', tenant, payer, route), jsonb_build_object('tariff', tariff) from customer_tariffs
    union all
    select concat_ws(' ', 'customer_keys', id), jsonb_build_object('tenant', tenant, 'payer', payer, 'digest', digest,
      'expires', expires_at, 'routes', scope->'routes') from customer_keys
    union all
    select concat_ws(' ', 'facilitator_keys', id), jsonb_build_object('tenant', tenant, 'digest', digest) from facilitator_keys
    union all
    select concat_ws(' ', 'accounts', tenant, customer), jsonb_build_object('creditLine', credit_line::text,
      'timeZone', time_zone, 'suspended', suspended, 'asset', asset, 'revision', revision) from accounts
    union all
    select concat_ws(' ', 'account_keys', tenant, key_id), jsonb_build_object('customer', customer, 'x', x) from account_keys
    union all
    select concat_ws(' ', 'account_wallets', tenant, wallet), jsonb_build_object('customer', customer) from account_wallets
    union all
    select concat_ws(' ', 'ingestion_keys', id), jsonb_build_object('tenant', tenant, 'digest', digest) from ingestion_keys
    union all
    select concat_ws(' ', 'meters', tenant, id),
      jsonb_build_object('revision', revision, 'withdrawn', withdrawn, 'rules', rules) from meters)
  select row, p.says as published, s.says as served from published p full join served s using (row)
  where p.says is distinct from s.says order by row`;

/**
 * Prices, routes, what customers may, and above all the address that is paid are those that were published: what gateways read
 * follows the log. A key that nobody issued shows here.
 */
export const catalogueCheck: Check = {
  name: 'catalogue',
  run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
    inSnapshot(pool, TABLES, async (snapshot) => {
      const findings = new Findings(listed);
      onProgress(0, 1);
      for await (const rows of snapshot.pages<ComparedRow>(COMPARED)) {
        for (const { published, row, served } of rows) {
          if (published === null) findings.differ('never published', row, 'no row', 'one');
          else if (served === null) findings.differ('published', row, 'a row', 'none');
          else differ(findings, row, published, served);
        }
      }
      const [counts] = await snapshot.query<{ tenants: number; routes: number; tariffs: number }>(
        `select (select count(*)::int from tenants) as tenants, (select count(*)::int from routes) as routes,
           (select count(*)::int from tariffs) as tariffs`,
      );
      onProgress(1, 1);
      return findings.result({ ...counts! });
    }),
};

function differ(findings: Findings, row: string, published: JsonObject, served: JsonObject): void {
  for (const name of new Set([...Object.keys(published), ...Object.keys(served)])) {
    const [expected, found] = [published[name] ?? null, served[name] ?? null].map(canonicalJson);
    if (expected !== found) findings.differ(`published ${name}`, row, expected, found);
  }
}
