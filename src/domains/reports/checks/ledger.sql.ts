import { ofSameStream } from '../../../base/event-store/stream-key.js';
import { CARD_MOVES } from './cards.sql.js';
import { holdsExposure } from './holds.sql.js';
import { INVOICE_MOVES, invoicedUpTo } from './invoices.sql.js';
import { notOfRefunds, REFUNDED } from './refund.sql.js';
import { EXPLAINED_MOVES, WALLET_MOVES } from './wallet.sql.js';

/** The questions of the check `ledger`; each answers with what is wrong. Sums are decimal strings of atomic units. */

export interface BookRow {
  readonly tenant: string;
  readonly asset: string;
  readonly posted: string;
  readonly pending: string;
}

/** `moved` by transfers and `found` in the row: debits and credits posted, debits and credits pending. */
export interface AccountRow {
  readonly account: string;
  readonly moved: string;
  readonly found: string;
}

export interface TransferRow {
  readonly id: string;
  readonly found: string;
}

export interface ReckonedRow {
  readonly tenant: string;
  readonly asset: string;
  readonly kind: string;
  readonly party: string;
  readonly expected: string;
  readonly found: string;
}

export const bookSums = `
  select b.tenant, b.asset, sum(a.debits_posted - a.credits_posted)::text as posted,
    sum(a.debits_pending - a.credits_pending)::text as pending
  from ledger_accounts a join ledger_books b on b.id = a.book
  group by b.id, b.tenant, b.asset
  having sum(a.debits_posted - a.credits_posted) <> 0 or sum(a.debits_pending - a.credits_pending) <> 0
  order by b.id`;

/** What transfers move, side by side: a pending amount stands until it is posted or voided. */
const MOVES = `
  moves as (
    select s.account, (t.occurred_at at time zone 'UTC')::date as day, (t.id / 16) >> 16 as block,
      case when s.debited and t.phase in ('posted', 'post') then t.amount else 0 end as dp,
      case when not s.debited and t.phase in ('posted', 'post') then t.amount else 0 end as cp,
      case when s.debited then p.change else 0 end as dn, case when s.debited then 0 else p.change end as cn
    from ledger_transfers t
    cross join lateral (values (t.debit, true), (t.credit, false)) as s (account, debited)
    cross join lateral (select case t.phase when 'pending' then t.amount when 'posted' then 0 else -t.amount end as change) as p)`;

const SUMS = 'sum(dp) as dp, sum(cp) as cp, sum(dn) as dn, sum(cn) as cn';
const MOVED = `concat_ws(' ', coalesce(m.dp, 0), coalesce(m.cp, 0), coalesce(m.dn, 0), coalesce(m.cn, 0))`;
const FOUND = (row: string) =>
  `concat_ws(' ', ${['debits_posted', 'credits_posted', 'debits_pending', 'credits_pending'].map((name) => `coalesce(${row}.${name}, 0)`).join(', ')})`;

export const accountSums = `
  with ${MOVES}, m as (select account, ${SUMS} from moves group by account)
  select coalesce(a.id, m.account)::text || coalesce(' (' || a.kind || ' ' || a.party || ')', ' (no such account)') as account,
    ${MOVED} as moved, ${FOUND('a')} as found
  from ledger_accounts a full join m on m.account = a.id
  where a.id is null or ${MOVED} <> ${FOUND('a')}
  order by coalesce(a.id, m.account)`;

export const activitySums = `
  with ${MOVES}, m as (select account, day, block, ${SUMS} from moves group by account, day, block)
  select concat_ws(' ', coalesce(a.account, m.account), coalesce(a.day, m.day), 'block', coalesce(a.block, m.block)) as account,
    ${MOVED} as moved, ${FOUND('a')} as found
  from ledger_activity a full join m on m.account = a.account and m.day = a.day and m.block = a.block
  where ${MOVED} <> ${FOUND('a')}
  order by coalesce(a.account, m.account), coalesce(a.day, m.day), coalesce(a.block, m.block)`;

export const resolutions = `
  select t.id::text, case
      when (t.resolves is not null) <> (t.phase in ('post', 'void')) then t.phase || ' resolves ' || coalesce(t.resolves::text, 'nothing')
      when p.id is null then 'no transfer ' || t.resolves
      when t.again > 1 then 'transfer ' || p.id || ' is resolved ' || t.again || ' times'
      else 'transfer ' || p.id || ' is ' || p.phase || ', ' || p.amount || ' from ' || p.credit || ' to ' || p.debit end as found
  from (select *, case when resolves is not null then count(*) over (partition by resolves) end as again from ledger_transfers) as t
  left join ledger_transfers p on p.id = t.resolves
  where (t.resolves is not null) <> (t.phase in ('post', 'void'))
    or t.resolves is not null and (t.again > 1 or p.phase is distinct from 'pending' or p.id >= t.id
      or (p.book, p.debit, p.credit, p.amount) is distinct from (t.book, t.debit, t.credit, t.amount))
  order by t.id`;

/** Transfers of no event, of an event that is not read yet, of another tenant, or with an account of another book. */
export const strayTransfers = `
  select t.id::text, case when e.position is null then 'no event at ' || t.id / 16
      when e.position > $1 then 'posted beyond the checkpoint'
      when e.tenant <> b.tenant then 'an event of ' || e.tenant || ' in a book of ' || b.tenant
      else 'accounts of book ' || d.book || ' and ' || c.book || ', not ' || t.book end as found
  from ledger_transfers t
  left join events e on e.position = t.id / 16
  left join ledger_books b on b.id = t.book
  left join ledger_accounts d on d.id = t.debit
  left join ledger_accounts c on c.id = t.credit
  where e.position is null or e.position > $1 or e.tenant is distinct from b.tenant
    or d.book is distinct from t.book or c.book is distinct from t.book
  order by t.id`;

/**
 * Balances as the events alone tell them, up to position $1: what a payment ended with decides. Money is in the wallet if
 * it settled last; a payer owes what holds exposure and is neither settled nor given up; revenue is earned by delivery on
 * credit or in mode `before`, by the first settlement otherwise. What was paid before and will not be delivered is owed to
 * the payer, less what was sent back, unless it failed to settle after all. Refunds left the payee's wallet, or the refund wallet.
 * What was found of wallets beside that stands unless it was taken back. What was used on account is earned and unbilled, until an
 * invoice asks for it.
 */
export const owedByEvents = `
  with ended as (
    select stream, (array_agg(type order by version desc) filter (where ${notOfRefunds('type')}))[1] as last,
      (array_agg(type order by version desc)
        filter (where type in ('PaymentSettled', 'SettlementReverted', 'PaymentSettlementFailed')))[1] as money,
      bool_or(type = 'PaymentSettled') as settled, bool_or(type = 'RequestDelivered') as delivered,
      bool_or(type = 'DeliveryFailed') as failed, bool_or(type = 'DeliveryInterrupted') as interrupted,
      bool_or(type in ('RefundRequested', 'PaymentRefunded')) as refunding,
      coalesce(sum(${REFUNDED}), 0) as refunded,
      coalesce(sum(${REFUNDED}) filter (where data->>'sender' is null), 0) as by_payee
    from events where stream like 'payment/%' and position <= $1 group by stream),
  payment as (
    select a.tenant, terms->>'network' || '/erc20:' || (terms->>'asset') as asset, terms->>'payer' as payer,
      terms->>'payee' as payee, (terms->>'amount')::numeric as amount, ${holdsExposure} as held, last, money, refunded, by_payee,
      a.data->>'account' as account,
      settled and not a.data ? 'account' and (delivered or a.data->>'mode' is distinct from 'before') as earned,
      a.data->>'mode' = 'before' and not delivered as undelivered,
      failed or interrupted and not (a.data->>'idempotent')::boolean or refunding as given_up
    from ended join events a on ${ofSameStream('ended.stream')} and a.version = 1
    cross join lateral (select a.data->'terms' as terms) as t),
  ${WALLET_MOVES},
  ${invoicedUpTo('f.position <= $1')},
  reckoned as (
    select tenant, asset, kind, party, sum(owed) as owed from payment cross join lateral (values
      ('wallet', payee, case money when 'PaymentSettled' then amount else 0 end - by_payee),
      ('customer_receivable', payer, case when held
        and last not in ('DeliveryFailed', 'DeliveryInterrupted', 'PaymentSettled') then amount else 0 end),
      ('revenue', '', case when held and last not in ('PaymentAuthorized', 'DeliveryRestarted', 'DeliveryFailed',
        'DeliveryInterrupted') or not held and earned then amount else 0 end),
      ('refunds', '', case when undelivered or account is not null then 0 else refunded end),
      ('refunds_owed', payer, case when undelivered and given_up and money <> 'PaymentSettlementFailed'
        then amount - refunded else 0 end),
      ('prepaid_balance', account, case when account is null then null
        else case money when 'PaymentSettled' then amount else 0 end - refunded end)) as k (kind, party, owed)
    where owed is not null
    group by tenant, asset, kind, party
    union all
    select tenant, asset, 'refund_wallet', sender, -sum(amount) from (
      select r.tenant, a.data->'terms'->>'network' || '/erc20:' || (a.data->'terms'->>'asset') as asset, r.sender, r.amount
      from (select stream, tenant, data->>'sender' as sender, ${REFUNDED} as amount from events
        where type in ('PaymentRefunded', 'RefundReverted') and data->>'sender' is not null and position <= $1) as r
      join events a on ${ofSameStream('r.stream')} and a.version = 1) as sent
    group by tenant, asset, sender
    union all
    select a.tenant, (a.data->>'network') || '/erc20:' || (a.data->>'asset'), kind, party, sum((d.data->>'charged')::numeric)
    from events d join events a on ${ofSameStream('d.stream')} and a.version = 1
    cross join lateral (values ('unbilled', a.data->>'customer'), ('revenue', '')) as k (kind, party)
    where d.type = 'CommitmentDelivered' and d.position <= $1
    group by a.tenant, a.data->>'network', a.data->>'asset', kind, party
    union all
    select tenant, (data->>'network') || '/slip44:60', kind, party,
      sum(case type when 'NetworkFeePaid' then sign else -sign end * (data->>'share')::numeric)
    from events cross join lateral (values ('network_fees', '', 1), ('gas_wallet', data->>'settler', -1)) as k (kind, party, sign)
    where type in ('NetworkFeePaid', 'NetworkFeeReversed') and position <= $1
    group by tenant, data->>'network', kind, party
    union all
    select tenant, asset, k.kind, k.party, k.owed from wallet_moves cross join lateral (values
      ('wallet', wallet, moved), (other, other_party, -moved)) as k (kind, party, owed)
    union all${INVOICE_MOVES}
    union all${CARD_MOVES}
    union all${EXPLAINED_MOVES}),
  expected as (select tenant, asset, kind, party, sum(owed) as owed from reckoned group by tenant, asset, kind, party),
  actual as (
    select b.tenant, b.asset, a.kind, a.party, case when a.kind in ('revenue', 'refunds_owed', 'prepaid_balance', 'tax_payable') then a.credits_posted - a.debits_posted
      when a.kind = 'customer_receivable' then a.debits_pending + a.debits_posted - a.credits_posted
      else a.debits_posted - a.credits_posted end as owed
    from ledger_accounts a join ledger_books b on b.id = a.book
    where a.kind in ('wallet', 'customer_receivable', 'unbilled', 'revenue', 'refunds', 'refunds_owed', 'prepaid_balance', 'refund_wallet', 'network_fees', 'gas_wallet', 'tax_payable', 'rounding', 'processor_balance', 'card_clearing', 'processor_fees', 'bank',
      'suspense', 'opening_balance', 'owner_withdrawals', 'owner_deposits', 'other_income'))
  select tenant, asset, kind, party, coalesce(e.owed, 0)::text as expected, coalesce(f.owed, 0)::text as found
  from expected e full join actual f using (tenant, asset, kind, party)
  where coalesce(e.owed, 0) <> coalesce(f.owed, 0)
  order by tenant, asset, kind, party`;
