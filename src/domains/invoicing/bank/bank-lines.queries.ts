import type { Pool } from 'pg';
import type { BankLine, BankLineId } from './bank-line.js';

type Queries = Pick<Pool, 'query'>;

export type BankLineState = 'matched' | 'unmatched' | 'ignored';

/** A line with what became of it. */
export interface KnownLine {
  readonly line: BankLine;
  readonly state: BankLineState;
  /** Of the match that stands. */
  readonly invoice?: string;
  readonly reference?: string;
  /** Matches so far, undone ones too. */
  readonly rounds: number;
}

interface Row {
  readonly id: BankLineId;
  readonly tenant: string;
  readonly account: string;
  readonly date: string;
  readonly amount: string;
  readonly currency: string;
  readonly text: string;
  readonly state: BankLineState;
  readonly invoice: string | null;
  readonly reference: string | null;
  readonly rounds: number;
}

const KNOWN = `
  select * from (
    select l.id, l.tenant, l.account, l.date::text, l.amount::text, l.currency, l.text, m.invoice, m.reference,
      (select count(*)::int from bank_line_matches r where r.line = l.id) as rounds,
      case when m.line is not null then 'matched' when l.ignored then 'ignored' else 'unmatched' end as state
    from bank_lines l left join bank_line_matches m on m.line = l.id and not m.undone) as known`;

/** Stores those that are new, in key order, so that two imports cannot deadlock. */
export async function storeLines(pool: Queries, lines: readonly BankLine[], at: number): Promise<ReadonlySet<string>> {
  const sorted = [...lines].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { rows } = await pool.query<{ id: string }>(
    `insert into bank_lines (id, tenant, account, date, amount, currency, text, ignored, imported_at)
     select *, false, $8::timestamptz
     from unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::numeric[], $6::text[], $7::text[])
     on conflict do nothing returning id`,
    [
      ...(['id', 'tenant', 'account', 'date', 'amount', 'currency', 'text'] as const).map((name) =>
        sorted.map((line) => line[name].toString()),
      ),
      new Date(at).toISOString(),
    ],
  );
  return new Set(rows.map(({ id }) => id));
}

export async function knownLines(pool: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, KnownLine>> {
  const { rows } = await pool.query<Row>(`${KNOWN} where id = any($1::text[])`, [ids]);
  return new Map(rows.map((row) => [row.id, knownLine(row)]));
}

export interface BankLineFilter {
  readonly tenant?: string;
  readonly state?: BankLineState;
}

/** Newest day first, from behind `(date, id)`; one more than `limit` if there is another page. */
export async function listLines(
  pool: Queries,
  { state, tenant }: BankLineFilter,
  after: readonly string[] | undefined,
  limit: number,
): Promise<KnownLine[]> {
  const [date = null, id = null] = after ?? [];
  const { rows } = await pool.query<Row>(
    `${KNOWN} where ($1::text is null or tenant = $1) and ($2::text is null or state = $2)
       and ($3::text is null or date < $3 or date = $3 and id > $4::text)
     order by date desc, id limit $5`,
    [tenant ?? null, state ?? null, date, id, limit + 1],
  );
  return rows.map(knownLine);
}

/** Changes nothing of a line that is matched. */
export async function setIgnored(pool: Queries, id: string, ignored: boolean): Promise<void> {
  await pool.query('update bank_lines set ignored = $2 where id = $1', [id, ignored]);
}

/** Where the invoices of a tenant are that have these numbers. */
export async function invoicesNumbered(pool: Queries, tenant: string, numbers: readonly number[]) {
  const { rows } = await pool.query<{ id: string; number: number; customer: string; sequence: number }>(
    'select id, number, customer, sequence from invoices where tenant = $1 and number = any($2::int[])',
    [tenant, numbers],
  );
  return new Map(rows.map((row) => [row.number, row]));
}

function knownLine({ amount, invoice, reference, rounds, state, ...line }: Row): KnownLine {
  return {
    line: { ...line, amount: BigInt(amount) },
    ...{ state, rounds },
    ...(invoice !== null && { invoice }),
    ...(reference !== null && { reference }),
  };
}
