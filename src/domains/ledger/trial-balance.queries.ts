import type { Pool } from 'pg';
import { type AsOf, readLedger } from './as-of.queries.js';
import { type BalanceView, balanceView, type Sums, sumsView } from './balance.js';
import { type AccountClass, type AccountKind, accountKinds, chart } from './chart.js';
import { QueryText } from './query-text.js';
import { type KindSums, kindSums } from './sums.queries.js';

export interface BookFilter {
  readonly tenant?: string;
  readonly asset?: string;
}

/** One book: its accounts by kind. Both sides of its totals are equal, or the ledger is broken. */
export interface TrialBalance {
  readonly book: number;
  readonly tenant: string;
  readonly asset: string;
  readonly kinds: readonly KindSums[];
}

export interface TrialBalancePage {
  readonly rows: readonly TrialBalance[];
  /** Last event that the sums count, unless an instant was asked for. */
  readonly position: bigint;
}

/**
 * Books in the order in which they were opened; one more than `limit` if there is another page.
 *
 * @param after number of the last book of the page before
 * @throws Problem `as_of_not_reached`
 */
export function listTrialBalances(
  pool: Pool,
  filter: BookFilter,
  asOf: AsOf,
  after: number,
  limit: number,
): Promise<TrialBalancePage> {
  return readLedger(pool, asOf, async ({ checkpoint, client }) => {
    const { asset, tenant } = filter;
    const query = new QueryText();
    const { rows: books } = await client.query<{ id: number; tenant: string; asset: string }>(
      `select id, tenant, asset from ledger_books where ${query.all({ 'id >': after, 'tenant =': tenant, 'asset =': asset })}
       order by id limit ${query.param(limit + 1)}`,
      query.values,
    );
    const ids = books.map(({ id }) => id);
    const sums = await kindSums(client, ids, asOf);
    const rows = books.map(({ id, ...book }) => ({ book: id, ...book, kinds: kindsOf(id, sums) }));
    return { rows, position: asOf && 'position' in asOf ? asOf.position : checkpoint };
  });
}

/** In the order of the chart. */
function kindsOf(book: number, sums: readonly KindSums[]): KindSums[] {
  const ofBook = new Map(sums.filter((one) => one.book === book).map((one) => [one.kind, one]));
  return accountKinds.flatMap((kind) => ofBook.get(kind) ?? []);
}

/** Of all accounts of a book: each transfer is in a debit and a credit, so they are equal. */
export function bookTotals(kinds: readonly KindSums[]): Sums {
  const total = (of: keyof Sums) => kinds.reduce((sum, { sums }) => sum + sums[of], 0n);
  return {
    debitsPosted: total('debitsPosted'),
    creditsPosted: total('creditsPosted'),
    debitsPending: total('debitsPending'),
    creditsPending: total('creditsPending'),
  };
}

export interface TrialBalanceView {
  readonly tenant: string;
  readonly asset: string;
  readonly accounts: readonly (BalanceView & { readonly kind: AccountKind; readonly class: AccountClass })[];
  readonly totals: ReturnType<typeof sumsView>;
  readonly balanced: boolean;
}

export function trialBalanceView({ asset, kinds, tenant }: TrialBalance): TrialBalanceView {
  const totals = bookTotals(kinds);
  const balanced = totals.debitsPosted === totals.creditsPosted && totals.debitsPending === totals.creditsPending;
  const accounts = kinds.map(({ kind, sums }) => ({ kind, class: chart[kind], ...balanceView(kind, sums) }));
  return { tenant, asset, accounts, totals: sumsView(totals), balanced };
}
