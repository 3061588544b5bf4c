import { ofSameStream } from '../../../base/event-store/stream-key.js';
import type { Address, Hex, Network } from '../../../base/shared/hex.js';
import type { PaymentId } from '../../payments/payment.js';

/** An address that is paid in one token. */
export interface Wallet {
  readonly network: Network;
  readonly asset: Address;
  readonly owner: Address;
  /** What the ledger says is in it, of all tenants that share it; atomic units. */
  readonly booked: string;
}

/** A transfer that the log names: of a settled payment, or back to its payer. */
export interface NamedTransfer {
  readonly kind: 'payment' | 'refund';
  readonly network: Network;
  readonly asset: Address;
  /** The payee's address, where a payment goes to; that, or the refund wallet, where a refund comes from. */
  readonly wallet: Address;
  readonly payment: PaymentId;
  readonly from: Address;
  readonly to: Address;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: Hex;
  readonly blockNumber: string;
  readonly logIndex: number;
}

const IN_ORDER = 'network, asset, wallet, (block_number)::numeric, log_index';

/** Wallets in the order of the lists below: of tenants, of every payment up to position $1, and of the ledger, the refund wallet included. */
export const wallets = `
  with named as (
    select distinct terms->>'network' as network, terms->>'asset' as asset, terms->>'payee' as owner
    from events cross join lateral (select data->'terms' as terms) as t
    where type = 'PaymentAuthorized' and position <= $1
    union select network, asset, payee from tenants),
  booked as (
    select split_part(b.asset, '/erc20:', 1) as network, split_part(b.asset, '/erc20:', 2) as asset, a.party as owner,
      sum(a.debits_posted - a.credits_posted) as booked
    from ledger_accounts a join ledger_books b on b.id = a.book
    where a.kind in ('wallet', 'refund_wallet') and b.asset like '%/erc20:%'
    group by b.asset, a.party)
  select network, asset, owner, coalesce(booked, 0)::text as booked
  from named full join booked using (network, asset, owner) order by network, asset, owner`;

/** Payments that the log calls settled at position $1, in the order of their transfers on the chain. */
export const settledPayments = `
  select 'payment' as kind, network, asset, wallet, payment, "from", wallet as "to", amount, transaction, block_number as "blockNumber",
    log_index as "logIndex"
  from (
    select a.data->'terms'->>'network' as network, a.data->'terms'->>'asset' as asset, a.data->'terms'->>'payee' as wallet,
      a.data->'terms'->>'payer' as "from", a.data->'terms'->>'amount' as amount, substr(s.stream, 9) as payment,
      s.data->>'transaction' as transaction, s.data->>'blockNumber' as block_number, (s.data->>'logIndex')::int as log_index
    from (select distinct on (stream) stream, type, data from events
      where type in ('PaymentSettled', 'SettlementReverted') and position <= $1 order by stream, version desc) as s
    join events a on ${ofSameStream('s.stream')} and a.version = 1
    where s.type = 'PaymentSettled') as settled
  order by ${IN_ORDER}`;

/** Refunds that the log names, and has not taken back, up to position $1, in the order of their transfers on the chain. */
export const refundedPayments = `
  select 'refund' as kind, network, asset, wallet, payment, wallet as "from", "to", amount, transaction, block_number as "blockNumber",
    log_index as "logIndex"
  from (
    select a.data->'terms'->>'network' as network, a.data->'terms'->>'asset' as asset,
      coalesce(r.data->>'sender', a.data->'terms'->>'payee') as wallet, a.data->'terms'->>'payer' as "to",
      r.data->>'amount' as amount, substr(r.stream, 9) as payment,
      r.data->>'transaction' as transaction, r.data->>'blockNumber' as block_number, (r.data->>'logIndex')::int as log_index
    from events r join events a on ${ofSameStream('r.stream')} and a.version = 1
    where r.type = 'PaymentRefunded' and r.position <= $1 and not exists (
      select from events a where ${ofSameStream('r.stream')} and a.type = 'RefundReverted' and a.position <= $1
        and a.version > r.version and a.data->>'transaction' = r.data->>'transaction'
        and a.data->>'logIndex' = r.data->>'logIndex' and a.data->>'blockHash' = r.data->>'blockHash')) as refunded
  order by ${IN_ORDER}`;

/** When the first payment on network $2 was taken, and the first block that any of them names; both null without any. */
export const beginnings = `
  select min(e.occurred_at) as "firstAt", min((e.data->>'blockNumber')::numeric)::text as "firstBlock"
  from events e join events a on ${ofSameStream('e.stream')} and a.version = 1
  where e.type in ('PaymentAuthorized', 'PaymentSettled', 'PaymentRefunded') and e.position <= $1
    and a.data->'terms'->>'network' = $2`;
