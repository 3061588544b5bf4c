import type { Pool } from 'pg';
import { PREPAID_STREAM } from '../invoicing/prepaid.js';
import type { PrepaidRow } from '../invoicing/prepaid.worker.js';
import { LEDGER } from './ledger.projection.js';

interface Row {
  readonly tenant: string;
  readonly customer: string;
  readonly balance: string;
  readonly turn: number;
  readonly sequence: number | null;
  readonly version: number | null;
}

/**
 * One statement, so that balance, invoice and applications are of one moment. An account is passed over until the ledger has all of its
 * applications: a balance that lacks one would be used twice, and the version that goes with it would not say so.
 */
const PREPAID = `
  with open as (
    select distinct on (tenant, customer) tenant, customer, sequence, version from invoices
    where state in ('open', 'partially_paid') order by tenant, customer, sequence)
  select b.tenant, a.party as customer, a.balance::text, coalesce(t.version, 0) as turn, o.sequence, o.version
  from projection_checkpoints p cross join ledger_books b
    cross join lateral (select party, credits_posted - debits_posted as balance from ledger_accounts
      where book = b.id and kind = 'prepaid_balance' and credits_posted <> debits_posted) as a
    left join open o on o.tenant = b.tenant and o.customer = a.party
    cross join lateral (select max(e.version) as version, max(e.position) as position from events e
      where stream_key(e.stream) = stream_key($4 || b.tenant || '/' || a.party)
        and e.stream = $4 || b.tenant || '/' || a.party) as t
  where p.name = $5 and (b.tenant, a.party) > ($1, $2) and (a.balance < 0 or o.sequence is not null)
    and (a.balance > 0 or t.version is not null)
    and coalesce(t.position, 0) <= p.position
  order by b.tenant, a.party limit $3`;

/** Accounts with a balance and an open invoice, or with less than was applied. @param after the last account of the page before */
export async function readPrepaid(
  pool: Pick<Pool, 'query'>,
  after: readonly [tenant: string, customer: string],
  limit: number,
): Promise<PrepaidRow[]> {
  const values = [...after, limit, PREPAID_STREAM, LEDGER];
  const { rows } = await pool.query<Row>({ name: 'prepaid', text: PREPAID, values });
  return rows.map(({ balance, customer, sequence, tenant, turn, version }) => ({
    ...{ tenant, customer, balance: BigInt(balance), turn },
    ...(sequence !== null && { open: { sequence, version: version! } }),
  }));
}
