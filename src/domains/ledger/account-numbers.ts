import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import type { Transfer } from './transfer.js';

/** Books and accounts whose number is remembered between batches, about ten megabytes each. */
const NAMES_MAX = 50_000;
const LINE_BREAK = '\n';

/** The numbers that stand for a transfer's book and accounts. */
export interface Sides {
  readonly book: number;
  readonly debit: number;
  readonly credit: number;
}

/**
 * Books and accounts are numbered from 1 in the order in which transfers first name them, the debited account before the
 * credited one: however the log is cut into batches, the same account has the same number. A number stands for ever, so
 * remembering one is safe whoever else writes; that two processes give out the same one, the primary key prevents.
 */
export class AccountNumbers {
  private readonly books = new LRUCache<string, number>({ max: NAMES_MAX });
  private readonly accounts = new LRUCache<string, number>({ max: NAMES_MAX });

  /** One result for each transfer, in order. Opens the books and accounts that are not there yet. */
  async of(client: PoolClient, transfers: readonly Transfer[]): Promise<Sides[]> {
    const bookNames = transfers.map(({ book }) => book.tenant + LINE_BREAK + book.asset);
    const books = await numbersOf(client, bookTable, this.books, bookNames);
    const accountNames = transfers.flatMap(({ credit, debit }, index) => {
      const book = books[index]! + LINE_BREAK;
      return [book + debit.kind + LINE_BREAK + debit.party, book + credit.kind + LINE_BREAK + credit.party];
    });
    const accounts = await numbersOf(client, accountTable, this.accounts, accountNames);
    return books.map((book, index) => ({ book, debit: accounts[2 * index]!, credit: accounts[2 * index + 1]! }));
  }
}

/** Statements on one table whose rows have a number and a name of several columns, given as one list a column. */
interface NumberedTable {
  readonly name: string;
  readonly columns: number;
  /** Returns the number, and the place in the lists, of those that are there. */
  readonly find: string;
  /** Takes the numbers after the lists. */
  readonly insert: string;
}

const bookTable: NumberedTable = {
  name: 'ledger_books',
  columns: 2,
  find: `select b.id, u.place::int from unnest($1::text[], $2::text[]) with ordinality as u (tenant, asset, place)
         join ledger_books b using (tenant, asset)`,
  insert: `insert into ledger_books (tenant, asset, id) select * from unnest($1::text[], $2::text[], $3::int[])`,
};

const accountTable: NumberedTable = {
  name: 'ledger_accounts',
  columns: 3,
  find: `select a.id, u.place::int
         from unnest($1::int[], $2::text[], $3::text[]) with ordinality as u (book, kind, party, place)
         join ledger_accounts a using (book, kind, party)`,
  insert: `insert into ledger_accounts (book, kind, party, id, debits_posted, credits_posted, debits_pending, credits_pending)
           select u.*, 0, 0, 0, 0 from unnest($1::int[], $2::text[], $3::text[], $4::int[]) as u`,
};

async function numbersOf(
  client: PoolClient,
  table: NumberedTable,
  remembered: LRUCache<string, number>,
  names: readonly string[],
): Promise<number[]> {
  const known = new Map<string, number | undefined>();
  for (const name of names) if (!known.has(name)) known.set(name, remembered.get(name));
  const unknown = [...known].flatMap(([name, number]) => (number === undefined ? [name] : []));
  for (const [name, number] of unknown.length > 0 ? await findOrOpen(client, table, unknown) : []) {
    known.set(name, number);
    remembered.set(name, number);
  }
  return names.map((name) => known.get(name)!);
}

async function findOrOpen(
  client: PoolClient,
  table: NumberedTable,
  names: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: number; place: number }>({
    name: `${table.name}-find`,
    text: table.find,
    values: columnsOf(table, names),
  });
  const numbers = new Map(rows.map(({ id, place }) => [names[place - 1]!, id]));
  const opened = names.filter((name) => !numbers.has(name));
  if (opened.length === 0) return numbers;
  const { rows: heads } = await client.query<{ head: number }>(
    `select coalesce(max(id), 0) as head from ${table.name}`,
  );
  for (const [index, name] of opened.entries()) numbers.set(name, heads[0]!.head + 1 + index);
  await client.query({
    name: `${table.name}-insert`,
    text: table.insert,
    values: [...columnsOf(table, opened), opened.map((name) => numbers.get(name))],
  });
  return numbers;
}

/** Names as lists of their columns. */
function columnsOf(table: NumberedTable, names: readonly string[]): string[][] {
  const parts = names.map((name) => name.split(LINE_BREAK));
  return Array.from({ length: table.columns }, (_, column) => parts.map((part) => part[column]!));
}
