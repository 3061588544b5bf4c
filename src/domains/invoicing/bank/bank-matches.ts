import type { PoolClient } from 'pg';
import { WriteRefused } from '../../../base/event-store/unit-of-work.js';

/** The row that says of which invoice a line is, stored or undone with what it moves. */
export type MatchChange =
  | { readonly line: string; readonly round: number; readonly invoice: string; readonly reference: string }
  | { readonly line: string; readonly round: number; readonly undone: true };

/**
 * The primary key (line, round) decides between two who match the same line, and no round begins before the one before it was undone.
 *
 * @throws WriteRefused if somebody else was faster
 */
export async function storeMatch(client: PoolClient, change: MatchChange): Promise<void> {
  const { rowCount } =
    'undone' in change
      ? await client.query('update bank_line_matches set undone = true where line = $1 and round = $2 and not undone', [
          change.line,
          change.round,
        ])
      : await client.query(
          `insert into bank_line_matches (line, round, invoice, reference, undone)
           select $1, $2, $3, $4, false
           where (select count(*) from bank_line_matches where line = $1 and undone) = $2 - 1
           on conflict do nothing`,
          [change.line, change.round, change.invoice, change.reference],
        );
  if (rowCount === 0) throw new WriteRefused('the line of the bank is taken');
}
