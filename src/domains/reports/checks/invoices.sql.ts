import { ofSameStream } from '../../../base/event-store/stream-key.js';

/** Whole units of a sum of fractions such as `-10/3`, a half goes up; nine digits are more than a sum of quotients can be off. */
const EXACTLY = (kind: 'requests' | 'usage') => `(
  select floor(round(coalesce(sum(split_part(l->>'exact', '/', 1)::numeric / coalesce(nullif(split_part(l->>'exact', '/', 2), ''), '1')::numeric), 0), 9) + 0.5)
  from jsonb_array_elements(f.data->'lines') as l where l->>'kind' = '${kind}')`;

/** CTE `invoiced`: final invoices, up to position `$1` if one is given, in atomic units. */
export const invoicedUpTo = (condition: string) => `
  invoiced as (
    select f.stream, f.tenant, f.position, a.data->>'customer' as customer, (a.data->>'network') || '/erc20:' || (a.data->>'asset') as asset,
      scale, subtotal * scale as net, total * scale as gross, total, subtotal, ${EXACTLY('requests')} as requests, ${EXACTLY('usage')} as used
    from events f join events a on ${ofSameStream('f.stream')} and a.version = 1
    cross join lateral (select (f.data->>'scale')::numeric as scale, (f.data->>'subtotal')::numeric as subtotal,
      (f.data->>'total')::numeric as total) as n
    where f.type = 'InvoiceFinalized' and ${condition}),
  taken_off as (
    select i.*, e.type, e.data, e.position as at, (coalesce(e.data->>'amount', e.data->>'cancelled', e.data->>'total', '0'))::numeric * scale as amount,
      coalesce((e.data->>'returned')::numeric, 0) * scale as returned,
      floor(round((total - subtotal) * (e.data->>'cancelled')::numeric / nullif(total, 0), 9) + 0.5) * scale as cancelled_tax
    from invoiced i join events e on stream_key(e.stream) = stream_key(i.stream) and e.stream = i.stream
    where e.type in ('InvoicePaymentApplied', 'InvoiceOverpaid', 'CreditNoteIssued', 'InvoiceVoided', 'InvoiceWrittenOff') and ${condition.replaceAll('f.', 'e.')}
      and not exists (select from events r where e.type in ('InvoicePaymentApplied', 'InvoiceOverpaid') and r.type = 'InvoicePaymentReversed'
        and stream_key(r.stream) = stream_key(i.stream) and r.stream = i.stream and r.data->>'reference' = e.data->>'reference'
        and ${condition.replaceAll('f.', 'r.')}))`;

/** Rows `(tenant, asset, kind, party, owed)` of what invoices and what became of them moved. */
export const INVOICE_MOVES = `
    select tenant, asset, k.kind, k.party, k.owed from invoiced cross join lateral (values
      ('customer_receivable', customer, gross), ('unbilled', customer, -requests), ('revenue', '', used),
      ('tax_payable', '', gross - net), ('rounding', '', requests + used - net)) as k (kind, party, owed)
    union all
    select tenant, asset, k.kind, k.party, k.owed from taken_off cross join lateral (values
      ('customer_receivable', customer, case type when 'InvoiceOverpaid' then 0 else returned - amount end),
      (case type when 'InvoiceOverpaid' then 'bank' end, '', amount),
      (case type when 'InvoiceOverpaid' then 'prepaid_balance' end, customer, amount),
      (case data->>'source' when 'prepaid' then 'prepaid_balance' when 'card' then 'card_clearing' when 'transfer' then 'bank' end,
        case data->>'source' when 'prepaid' then customer else '' end, case data->>'source' when 'prepaid' then -amount else amount end),
      (case type when 'CreditNoteIssued' then 'refunds' end, '', (data->>'subtotal')::numeric * scale),
      (case type when 'CreditNoteIssued' then 'tax_payable' end, '', (data->>'subtotal')::numeric * scale - amount),
      (case type when 'CreditNoteIssued' then 'prepaid_balance' end, customer, returned),
      (case type when 'InvoiceVoided' then 'refunds' end, '', amount - cancelled_tax),
      (case type when 'InvoiceVoided' then 'tax_payable' end, '', -cancelled_tax)) as k (kind, party, owed)
    where k.kind is not null`;

/** Rows `(key, amount)` of what invoices add to the credit of accounts; what is applied from the balance was counted when it was paid in. */
export const INVOICE_CREDIT = `
    select concat_ws('/', 'credit', tenant, customer), gross - requests from invoiced
    union all
    select concat_ws('/', 'credit', tenant, customer), -amount from taken_off where data->>'source' is distinct from 'prepaid'`;
