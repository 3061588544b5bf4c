import pg from 'pg';

/** A page as the store and the projections write them. */
const PAGE = 1_000;

interface Column {
  readonly name: string;
  readonly type: string;
}

/** All rows of a table, column by column, as Postgres writes them. */
interface Rows {
  readonly columns: readonly Column[];
  readonly values: readonly (readonly (string | null)[])[];
}

/**
 * Seconds that it takes to insert the rows of some tables into empty copies of these, with the same indexes and
 * constraints but no triggers, by `insert … select from unnest` on one connection. Reading them is not counted.
 */
export async function insertRaw(url: string, tables: readonly string[]): Promise<{ rows: number; seconds: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('create schema raw');
  try {
    const total = { rows: 0, seconds: 0 };
    for (const table of tables) {
      await client.query(`create table raw.${table} (like public.${table} including all)`);
      const rows = await readRows(client, table);
      const start = performance.now();
      await insertPages(client, table, rows);
      total.seconds += (performance.now() - start) / 1000;
      total.rows += rows.values[0]?.length ?? 0;
    }
    return total;
  } finally {
    await client.query('drop schema raw cascade');
    await client.end();
  }
}

async function readRows(client: pg.Client, table: string): Promise<Rows> {
  const { rows: columns } = await client.query<Column>(
    `select attname as name, format_type(atttypid, null) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`public.${table}`],
  );
  const list = columns.map(({ name }) => `"${name}"::text`).join(', ');
  const { rows } = await client.query<(string | null)[]>({
    text: `select ${list} from public.${table}`,
    rowMode: 'array',
  });
  return { columns, values: columns.map((_, index) => rows.map((row) => row[index]!)) };
}

async function insertPages(client: pg.Client, table: string, { columns, values }: Rows): Promise<void> {
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
  const text = `insert into raw.${table} (${names}) select * from unnest(${arrays})`;
  for (let start = 0; start < (values[0]?.length ?? 0); start += PAGE) {
    await client.query({
      name: `raw-${table}`,
      text,
      values: values.map((column) => column.slice(start, start + PAGE)),
    });
  }
}
