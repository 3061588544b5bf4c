import type { Projection } from '../../../base/event-store/projection-runner.js';
import { ofSameStream } from '../../../base/event-store/stream-key.js';
import type { Check, CheckContext, Progress } from './check.js';
import { checkpointOf } from './checkpoint.js';
import { Findings } from './findings.js';
import { holdsOfAuthorization } from './holds.sql.js';
import { INVOICE_CREDIT, invoicedUpTo } from './invoices.sql.js';
import { notOfRefunds, REFUNDED } from './refund.sql.js';
import { inSnapshot } from './snapshot.js';

/** Of one payer; that of a tenant as a whole has no payer behind it. */
const PAYER_EXPOSURE = 'exposure/%/%/%/%';

/** What each event of a payment with a hold does to the exposure, as admissions and settlement count it. */
const CHANGES = `
  case e.type when 'PaymentAuthorized' then 1 when 'DeliveryRestarted' then 1 when 'SettlementReverted' then 1
    when 'DeliveryFailed' then -1 when 'DeliveryInterrupted' then -1 when 'PaymentSettled' then -1 else 0 end`;

/** Holds by key: as limits count them, as the ledger has them, and what the ledger has not seen yet. */
const COMPARED = `
  with mirrored as (
    select 'exposure/' || b.tenant || '/' || replace(b.asset, '/erc20:', '/') || '/' || a.party as key,
      sum(a.debits_pending + a.debits_posted - a.credits_posted) as owed
    from ledger_accounts a join ledger_books b on b.id = a.book
    where a.kind = 'customer_receivable' and a.party not like 'cus\\_%' group by 1),
  unseen as (
    select held.key, sum(${CHANGES} * held.amount) as owed
    from events e join events a on ${ofSameStream('e.stream')} and a.version = 1
    cross join lateral ${holdsOfAuthorization} as held
    where e.position > $1 and e.stream like 'payment/%' group by 1)
  select coalesce(h.key, m.key, u.key) as key, coalesce(h.held, 0)::text as held,
    (coalesce(m.owed, 0) + coalesce(u.owed, 0))::text as owed
  from hold_totals h full join mirrored m on m.key = h.key full join unseen u on u.key = coalesce(h.key, m.key)
  where coalesce(h.held, 0) <> coalesce(m.owed, 0) + coalesce(u.owed, 0)
    and coalesce(h.key, m.key, u.key) like '${PAYER_EXPOSURE}'
  order by 1`;

/** End of the day (`2026-11-25`) or month (`2026-11`) that the key of an allowance names, UTC. */
const ALLOWANCE_ENDS = `case length(split_part(key, '/', 5))
  when 7 then (split_part(key, '/', 5) || '-01')::timestamp + interval '1 month'
  else split_part(key, '/', 5)::timestamp + interval '1 day' end`;

/**
 * All other holds, that is quotas, spending limits, allowances, the exposure of whole tenants and what accounts owe, as their rows have
 * them and as the events tell: what a request took counts until its delivery failed or was interrupted, exposure also until it was
 * settled. In mode `before` it counts unless nothing will be delivered any more. A rolling window is compared slot by slot. Of windows that are over only those that no purge can have reached.
 */
const COUNTED = `
  with asked as (
    select a.stream, held.key, held.amount, a.data->>'mode' as mode, (a.data->>'idempotent')::boolean as idempotent
    from events a cross join lateral ${holdsOfAuthorization} as held
    where a.type in ('PaymentAuthorized', 'FreeRequestGranted') and held.key not like '${PAYER_EXPOSURE}'),
  held as (
    select key, amount
    from asked cross join lateral (
      select (array_agg(a.type order by a.version desc) filter (where ${notOfRefunds('a.type')}))[1] as type,
        bool_or(a.type = 'RequestDelivered') as delivered,
        bool_or(a.type in ('DeliveryFailed', 'PaymentSettlementFailed', 'RefundRequested', 'PaymentRefunded')
          or a.type = 'DeliveryInterrupted' and not asked.idempotent) as given_up
      from events a where ${ofSameStream('asked.stream')}) as ended
    where case mode when 'before' then delivered or not given_up else
      ended.type not in ('DeliveryFailed', 'DeliveryInterrupted', 'FreeRequestFailed', 'FreeRequestInterrupted')
      and (key not like 'exposure/%' or ended.type <> 'PaymentSettled') end),
  accepted as (
    select a.stream, held.key, held.amount from events a cross join lateral ${holdsOfAuthorization} as held
    where a.type = 'CommitmentAccepted'),
  committed as (
    select key, amount from accepted where not exists (select from events a
      where ${ofSameStream('accepted.stream')} and a.type in ('CommitmentReleased', 'CommitmentInterrupted'))
    union all
    select released->>'key', -(released->>'amount')::numeric
    from events cross join lateral jsonb_array_elements(data->'released') as released where type = 'CommitmentDelivered'),
  top_ups as (
    select stream, concat_ws('/', 'credit', tenant, data->>'account') as key, (data->'terms'->>'amount')::numeric as amount
    from events where type = 'PaymentAuthorized' and data ? 'account'),
  paid_in as (
    select key, case money when 'PaymentSettled' then -amount else 0 end + refunded as amount
    from top_ups cross join lateral (
      select coalesce(sum(${REFUNDED}), 0) as refunded,
        (array_agg(type order by version desc) filter (where type in ('PaymentSettled', 'SettlementReverted')))[1] as money
      from events a where ${ofSameStream('top_ups.stream')}) as ended),
  ${invoicedUpTo('true')},
  taken as (
    select key, sum(amount) as amount
    from (select * from held union all select * from committed union all select * from paid_in union all ${INVOICE_CREDIT}) as parts group by key),
  stored as (
    select key, held as amount from hold_totals
    where slots is null and (key like 'quota/%' or key like 'spend/%' or key like 'free/%' or key like 'exposure/%' or key like 'credit/%')
      and key not like '${PAYER_EXPOSURE}'
    union all
    select t.key || '@' || s.slot, s.amount::numeric
    from hold_totals t cross join lateral jsonb_each_text(t.slots) as s (slot, amount))
  select key, coalesce(stored.amount, 0)::text as held, coalesce(taken.amount, 0)::text as owed
  from stored full join taken using (key)
  where coalesce(stored.amount, 0) <> coalesce(taken.amount, 0) and case
    when key like '%@%' then split_part(key, '@', 2)::bigint / 1000 + rtrim(split_part(key, '/', 4), 's')::bigint
      > extract(epoch from now())
    when key like 'exposure/%' or key like 'credit/%' then true
    when key like 'free/%' then ${ALLOWANCE_ENDS} > timezone('utc', now()) - interval '20 hours'
    else split_part(key, '/', 6)::bigint > extract(epoch from now() - interval '20 hours') end
  order by key`;

interface HeldRow {
  readonly key: string;
  readonly held: string;
  readonly owed: string;
}

/**
 * What limits hold of each payer is what the ledger says the payer owes, both ways, at one moment. Events that the ledger
 * has not posted yet are added to its side, so a busy system compares exactly, too. Other holds are counted again from the events.
 */
export function holdsCheck(ledger: Pick<Projection, 'name' | 'version'>): Check {
  return {
    name: 'holds',
    run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
      inSnapshot(
        pool,
        ['projection_checkpoints', 'hold_totals', 'ledger_books', 'ledger_accounts'],
        async (snapshot) => {
          const findings = new Findings(listed);
          const checkpoint = await checkpointOf(snapshot, ledger, findings);
          if (checkpoint === undefined) return findings.result({});
          onProgress(0, 1);
          const differ = (rows: readonly HeldRow[]) => {
            for (const { held, key, owed } of rows) findings.differ('hold', `hold_totals ${key}`, owed, held);
          };
          for await (const rows of snapshot.pages<HeldRow>(COMPARED, [checkpoint])) differ(rows);
          for await (const rows of snapshot.pages<HeldRow>(COUNTED)) differ(rows);
          const [row] = await snapshot.query<{ holds: string }>('select count(*) as holds from hold_totals');
          onProgress(1, 1);
          return findings.result({
            holds: Number(row!.holds),
            'events not posted yet': Number(snapshot.head - checkpoint),
          });
        },
      ),
  };
}
