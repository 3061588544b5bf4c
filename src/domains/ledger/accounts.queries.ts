import type { Pool } from 'pg';
import { type AsOf, readLedger } from './as-of.queries.js';
import { type BalanceView, balanceView, type Sums } from './balance.js';
import { type AccountClass, type AccountKind, chart } from './chart.js';
import { QueryText } from './query-text.js';
import { accountSums, type SumRow, toSums } from './sums.queries.js';

export interface AccountFilter {
  readonly tenant?: string;
  readonly asset?: string;
  readonly kind?: AccountKind;
  readonly party?: string;
  /** Number of one account. */
  readonly account?: number;
}

export interface AccountRow {
  readonly id: number;
  readonly tenant: string;
  readonly asset: string;
  readonly kind: AccountKind;
  readonly party: string;
  readonly sums: Sums;
}

export interface AccountPage {
  readonly rows: readonly AccountRow[];
  /** Last event that the sums count, unless an instant was asked for. */
  readonly position: bigint;
}

/**
 * Accounts with their sums, in the order in which they were opened; one row more than `limit` if there is another page.
 *
 * @param after number of the last account of the page before
 * @throws Problem `as_of_not_reached`
 */
export function listAccounts(
  pool: Pool,
  filter: AccountFilter,
  asOf: AsOf,
  after: number,
  limit: number,
): Promise<AccountPage> {
  return readLedger(pool, asOf, async ({ checkpoint, client }) => {
    const { account, asset, kind, party, tenant } = filter;
    const query = new QueryText();
    const { rows } = await client.query<Omit<AccountRow, 'sums'> & SumRow>(
      `select a.id, tenant, asset, kind, party, debits_posted, credits_posted, debits_pending, credits_pending
       from ledger_accounts a join ledger_books b on b.id = a.book
       where a.id > ${query.param(after)} and ${query.all({ 'tenant =': tenant, 'asset =': asset })}
         and ${query.all({ 'a.id =': account, 'kind =': kind, 'party =': party })}
       order by a.id limit ${query.param(limit + 1)}`,
      query.values,
    );
    const accounts = rows.map(({ asset, id, kind, party, tenant, ...sums }) => {
      return { id, tenant, asset, kind, party, sums: toSums(sums) };
    });
    if (!asOf) return { rows: accounts, position: checkpoint };
    const sumsOf = await accountSums(
      client,
      accounts.map(({ id }) => id),
      asOf,
    );
    const position = 'position' in asOf ? asOf.position : checkpoint;
    return { rows: accounts.map((account) => ({ ...account, sums: sumsOf(account.id) })), position };
  });
}

export interface AccountView extends BalanceView {
  readonly id: string;
  readonly tenant: string;
  readonly asset: string;
  readonly kind: AccountKind;
  readonly class: AccountClass;
  readonly party: string;
}

export function accountView({ asset, id, kind, party, sums, tenant }: AccountRow): AccountView {
  return { id: String(id), tenant, asset, kind, class: chart[kind], party, ...balanceView(kind, sums) };
}
