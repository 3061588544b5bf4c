import { ofSameStream } from '../../../base/event-store/stream-key.js';
import type { Address, Hex, Network } from '../../../base/shared/hex.js';
import type { PaymentId } from '../../payments/payment.js';
import { foundTransfers } from './wallet.sql.js';

/** An address that is paid in one token. */
export interface Wallet {
  readonly network: Network;
  readonly asset: Address;
  readonly owner: Address;
  /** What the ledger says is in it, of all tenants that share it; atomic units. */
  readonly booked: string;
  /** Block behind which every transfer of it is in the books, and the ledger has what it held then; `null` if it is not followed. */
  readonly opened: string | null;
  /** The last block whose transfers the reconciler has read. */
  readonly followed: string | null;
}

/** A transfer that the log names: of a settled payment, back to its payer, or one that nothing explains, in or out. */
export interface NamedTransfer {
  readonly kind: 'payment' | 'refund' | 'receipt' | 'withdrawal';
  readonly network: Network;
  readonly asset: Address;
  /** The payee's address, where a payment goes to; that, or the refund wallet, where a refund comes from. */
  readonly wallet: Address;
  /** Of payments and refunds. */
  readonly payment: PaymentId | null;
  readonly from: Address;
  readonly to: Address;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: Hex;
  readonly blockNumber: string;
  readonly logIndex: number;
}

const IN_ORDER = 'network, asset, wallet, block, "logIndex"';

/** @param lists statements of one kind of transfer each */
function inOrder(...lists: readonly string[]): string {
  return `select *, "blockNumber"::numeric as block from (${lists.join(' union all ')}) as named order by ${IN_ORDER}`;
}

/** Wallets in the order of the lists below: of tenants, of every payment up to position $1, and of the ledger, the refund wallet included. */
export const wallets = `
  with opened as (
    select data->>'network' as network, data->>'asset' as asset, data->>'wallet' as owner, data->>'blockNumber' as opened
    from events where type = 'WalletOpened' and position <= $1),
  named as (
    select distinct terms->>'network' as network, terms->>'asset' as asset, terms->>'payee' as owner
    from events cross join lateral (select data->'terms' as terms) as t
    where type = 'PaymentAuthorized' and position <= $1
    union select network, asset, payee from tenants
    union select network, asset, owner from opened),
  booked as (
    select split_part(b.asset, '/erc20:', 1) as network, split_part(b.asset, '/erc20:', 2) as asset, a.party as owner,
      sum(a.debits_posted - a.credits_posted) as booked
    from ledger_accounts a join ledger_books b on b.id = a.book
    where a.kind in ('wallet', 'refund_wallet') and b.asset like '%/erc20:%'
    group by b.asset, a.party)
  select network, asset, owner, coalesce(booked, 0)::text as booked, opened, block_number::text as followed
  from named full join booked using (network, asset, owner) left join opened using (network, asset, owner)
  left join (select network, asset, wallet as owner, block_number from chain_wallets) as w using (network, asset, owner)
  order by network, asset, owner`;

const settled = `
  select 'payment' as kind, network, asset, wallet, payment, "from", wallet as "to", amount, transaction, block_number as "blockNumber",
    log_index as "logIndex"
  from (
    select a.data->'terms'->>'network' as network, a.data->'terms'->>'asset' as asset, a.data->'terms'->>'payee' as wallet,
      a.data->'terms'->>'payer' as "from", a.data->'terms'->>'amount' as amount, substr(s.stream, 9) as payment,
      s.data->>'transaction' as transaction, s.data->>'blockNumber' as block_number, (s.data->>'logIndex')::int as log_index
    from (select distinct on (stream) stream, type, data from events
      where type in ('PaymentSettled', 'SettlementReverted') and position <= $1 order by stream, version desc) as s
    join events a on ${ofSameStream('s.stream')} and a.version = 1
    where s.type = 'PaymentSettled') as settled`;

const refunded = `
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
        and a.data->>'logIndex' = r.data->>'logIndex' and a.data->>'blockHash' = r.data->>'blockHash')) as refunded`;

/** What came into wallets by the log at position $1, payments or not, in the order of the chain. */
export const namedReceipts = inOrder(settled, foundTransfers('Inbound', 'receipt'));

/** What went out of wallets by the log at position $1, refunds or not, in the order of the chain. */
export const namedWithdrawals = inOrder(refunded, foundTransfers('Outbound', 'withdrawal'));

/** When the first payment on network $2 was taken, and the first block that any of them names; both null without any. */
export const beginnings = `
  select min(e.occurred_at) as "firstAt", min((e.data->>'blockNumber')::numeric)::text as "firstBlock"
  from events e join events a on ${ofSameStream('e.stream')} and a.version = 1
  where e.type in ('PaymentAuthorized', 'PaymentSettled', 'PaymentRefunded') and e.position <= $1
    and a.data->'terms'->>'network' = $2`;
