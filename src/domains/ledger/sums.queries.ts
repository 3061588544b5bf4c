import type { PoolClient } from 'pg';
import type { AsOf } from './as-of.queries.js';
import type { Sums } from './balance.js';
import type { AccountKind } from './chart.js';
import { BLOCK_SHIFT, blockOf, lastTransferId } from './transfer.js';

export interface SumRow {
  readonly debits_posted: string;
  readonly credits_posted: string;
  readonly debits_pending: string;
  readonly credits_pending: string;
}

/** Of all accounts of one kind in a book. */
export interface KindSums {
  readonly book: number;
  readonly kind: AccountKind;
  readonly sums: Sums;
}

const nothing: Sums = { debitsPosted: 0n, creditsPosted: 0n, debitsPending: 0n, creditsPending: 0n };

/** Sums of accounts at a point in the past; accounts without transfers by then have sums of zero. */
export async function accountSums(
  client: PoolClient,
  accounts: readonly number[],
  asOf: NonNullable<AsOf>,
): Promise<(account: number) => Sums> {
  const { rows } = await client.query<SumRow & { account: number }>(pastSums('accounts', 'account', asOf, accounts));
  const found = new Map(rows.map((row) => [row.account, toSums(row)]));
  return (account) => found.get(account) ?? nothing;
}

/** Sums of whole books by kind of account, in the order of books and kinds. */
export async function kindSums(client: PoolClient, books: readonly number[], asOf: AsOf): Promise<KindSums[]> {
  const now = `select book, kind, ${totals} from ledger_accounts where book = any($1::int[]) group by book, kind`;
  const query = asOf ? pastSums('books', 'book, kind', asOf, books) : { text: now, values: [books] };
  const { rows } = await client.query<SumRow & { book: number; kind: AccountKind }>(query);
  return rows.map((row) => ({ book: row.book, kind: row.kind, sums: toSums(row) }));
}

export function toSums(row: SumRow): Sums {
  return {
    debitsPosted: BigInt(row.debits_posted),
    creditsPosted: BigInt(row.credits_posted),
    debitsPending: BigInt(row.debits_pending),
    creditsPending: BigInt(row.credits_pending),
  };
}

/** The driver hands numeric sums over as decimal strings. */
const totals = `sum(debits_posted) as debits_posted, sum(credits_posted) as credits_posted,
  sum(debits_pending) as debits_pending, sum(credits_pending) as credits_pending`;

/** Which rows count, `$1` being a list of accounts or of books. */
const pick = {
  accounts: {
    activity: 'account = any($1::int[])',
    transfer: '(debit = any($1::int[]) or credit = any($1::int[]))',
    side: 'account = any($1::int[])',
  },
  books: {
    activity: 'account in (select id from ledger_accounts where book = any($1::int[]))',
    transfer: 'book = any($1::int[])',
    side: 'true',
  },
} as const;

/** @param group columns to group by: `account`, or those that say what an account is */
function pastSums(picked: keyof typeof pick, group: string, asOf: NonNullable<AsOf>, numbers: readonly number[]) {
  const { activity, transfers, bounds } = cut(asOf);
  const where = pick[picked];
  // What a transfer moves is said once more in the trigger that keeps the sums of now.
  const text = `with moves as (
      select account, debits_posted, credits_posted, debits_pending, credits_pending
        from ledger_activity where ${where.activity} and ${activity}
      union all
      select side.* from (
          select debit, credit, case when phase in ('posted', 'post') then amount else 0 end as posted,
            case phase when 'pending' then amount when 'posted' then 0 else -amount end as pending
          from ledger_transfers where ${where.transfer} and ${transfers}
        ) t cross join lateral (values (debit, posted, 0, pending, 0), (credit, 0, posted, 0, pending))
          as side (account, debits_posted, credits_posted, debits_pending, credits_pending)
        where ${where.side}
    ), sums as materialized (select account, ${totals} from moves group by account)
    select ${group}, ${totals} from sums join (select id, book, kind from ledger_accounts) a on a.id = account group by ${group}`;
  return { text, values: [numbers, ...bounds] };
}

/** Which rows of the two tables add up to a point in the past: conditions on `$2`, `$3` and `$4`. */
function cut(asOf: NonNullable<AsOf>): { activity: string; transfers: string; bounds: readonly string[] } {
  if ('position' in asOf) {
    const until = lastTransferId(asOf.position);
    const block = blockOf(until);
    const bounds = [block, block << BigInt(BLOCK_SHIFT), until].map(String);
    return { activity: 'block < $2::bigint', transfers: 'id between $3::bigint and $4::bigint', bounds };
  }
  const until = asOf.instant.toISOString();
  const day = until.slice(0, 10);
  const transfers = 'occurred_at between $3::timestamptz and $4::timestamptz';
  return { activity: 'day < $2::date', transfers, bounds: [day, `${day}T00:00:00.000Z`, until] };
}
