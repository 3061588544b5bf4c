import { ofSameStream } from '../../../base/event-store/stream-key.js';

/** A refund as it stands: what succeeded and did not fail later. */
const REFUND = `(
  select r.data->>'reason' as reason, (r.data->>'amount')::numeric as amount from events r
  where r.type = 'CardRefundRequested' and stream_key(r.stream) = stream_key(c.stream) and r.stream = c.stream
    and r.data->>'refund' = c.data->>'refund')`;

/** Rows `(tenant, asset, kind, party, owed)` of what charges of cards moved, up to position `$1`, in atomic units. */
export const CARD_MOVES = `
    select c.tenant, (a.data->>'network') || '/erc20:' || (a.data->>'asset'), k.kind, '', k.owed * (a.data->>'scale')::numeric
    from events c join events a on ${ofSameStream('c.stream')} and a.version = 1
    left join lateral ${REFUND} as r on c.type in ('CardRefundSucceeded', 'CardRefundFailed')
    left join lateral (
      select (o.data->>'amount')::numeric as amount, (o.data->>'fee')::numeric as fee from events o
      where o.type = 'DisputeOpened' and stream_key(o.stream) = stream_key(c.stream) and o.stream = c.stream
        and o.data->>'dispute' = c.data->>'dispute') as o on c.type in ('DisputeOpened', 'DisputeWon')
    cross join lateral (select case c.type
      when 'CardRefundSucceeded' then r.amount
      when 'CardRefundFailed' then case when exists (select from events s where s.type = 'CardRefundSucceeded'
        and stream_key(s.stream) = stream_key(c.stream) and s.stream = c.stream and s.data->>'refund' = c.data->>'refund')
        then -r.amount else 0 end end as back) as b
    cross join lateral (values
      ('processor_balance', case c.type when 'CardChargeSucceeded' then (a.data->>'amount')::numeric
        when 'CardFeeTaken' then -(c.data->>'fee')::numeric when 'DisputeOpened' then -o.amount - o.fee
        when 'DisputeWon' then o.amount + o.fee - (c.data->>'fee')::numeric else -b.back end),
      ('card_clearing', case c.type when 'CardChargeSucceeded' then -(a.data->>'amount')::numeric
        when 'DisputeOpened' then o.amount when 'DisputeWon' then -o.amount
        else case r.reason when 'surplus' then b.back end end),
      ('refunds', case r.reason when 'requested' then b.back end),
      ('processor_fees', case c.type when 'CardFeeTaken' then (c.data->>'fee')::numeric when 'DisputeOpened' then o.fee
        when 'DisputeWon' then (c.data->>'fee')::numeric - o.fee end)) as k (kind, owed)
    where c.type in ('CardChargeSucceeded', 'CardFeeTaken', 'CardRefundSucceeded', 'CardRefundFailed', 'DisputeOpened', 'DisputeWon')
      and c.position <= $1 and k.owed is not null`;
