import type { PoolClient } from 'pg';
import type { Sides } from './account-numbers.js';
import type { Transfer } from './transfer.js';

const columns = 'id, book, debit, credit, amount, phase, resolves, code, occurred_at';
const types =
  '$1::bigint[], $2::int[], $3::int[], $4::int[], $5::numeric[], $6::text[], $7::bigint[], $8::text[], $9::timestamptz[]';

/**
 * Writes transfers; those that are there already stay as they are and move nothing. A trigger checks them and moves the
 * sums of their accounts.
 *
 * @param sides one for each transfer, in order
 * @throws if a transfer of the same id and other content is there, or the trigger refuses one
 */
export async function insertTransfers(
  client: PoolClient,
  transfers: readonly Transfer[],
  sides: readonly Sides[],
): Promise<void> {
  const values = [
    literal(transfers, ({ id }) => id),
    literal(sides, ({ book }) => book),
    literal(sides, ({ debit }) => debit),
    literal(sides, ({ credit }) => credit),
    literal(transfers, ({ amount }) => amount),
    literal(transfers, ({ phase }) => phase),
    literal(transfers, ({ resolves }) => resolves ?? 'null'),
    literal(transfers, ({ code }) => code),
    literal(transfers, instants()),
  ];
  const { rowCount } = await client.query({
    name: 'ledger-transfers-insert',
    text: `insert into ledger_transfers (${columns}) select * from unnest(${types}) on conflict (id) do nothing`,
    values,
  });
  if (rowCount === transfers.length) return;
  const { rows } = await client.query<{ id: string }>(
    `select ${columns} from unnest(${types}) as u (${columns}) except select ${columns} from ledger_transfers
     where id = any($1::bigint[]) limit 1`,
    values,
  );
  if (rows[0]) throw new Error(`transfer ${rows[0].id} was posted before, and differently`);
}

/** Events that were appended together occurred at one instant, which is put into words once. */
function instants(): (transfer: Transfer) => string {
  let last: Date | undefined;
  let text = '';
  return ({ occurredAt }) => {
    if (occurredAt.getTime() !== last?.getTime()) {
      last = occurredAt;
      text = occurredAt.toISOString();
    }
    return text;
  };
}

/**
 * An array as Postgres reads it, made faster than the driver does, which quotes whatever comes. Only for values that need no
 * quotes: numbers, our own words, instants.
 */
function literal<T>(items: readonly T[], of: (item: T) => string | number | bigint): string {
  return `{${items.map(of).join(',')}}`;
}
