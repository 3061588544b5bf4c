import type { Pool, PoolClient } from 'pg';
import { ofStream } from '../../base/event-store/stream-key.js';
import { type PaymentId, paymentStream } from '../payments/payment.js';
import type { AccountFilter } from './accounts.queries.js';
import { type AsOf, readLedger } from './as-of.queries.js';
import type { AccountKind } from './chart.js';
import { QueryText } from './query-text.js';
import { BLOCK_SHIFT, type Code, idsOfPosition, lastTransferId, type Phase, positionOfTransfer } from './transfer.js';

/** With an account, its kind or its party: transfers that touch such an account on either side. */
export interface TransferFilter extends AccountFilter {
  readonly payment?: PaymentId;
  readonly code?: Code;
  readonly phase?: Phase;
  /** First and last instant, both included. */
  readonly from?: Date;
  readonly to?: Date;
}

export interface TransferRow {
  readonly id: string;
  readonly tenant: string;
  readonly asset: string;
  readonly code: Code;
  readonly phase: Phase;
  readonly resolves: string | null;
  readonly amount: string;
  readonly debit: number;
  readonly debit_kind: AccountKind;
  readonly debit_party: string;
  readonly credit: number;
  readonly credit_kind: AccountKind;
  readonly credit_party: string;
  readonly stream: string;
  readonly occurred_at: Date;
}

export interface TransferPage {
  readonly rows: readonly TransferRow[];
  /** Last event whose transfers are here, unless an instant was asked for. */
  readonly position: bigint;
}

/**
 * Newest first; one row more than `limit` if there is another page.
 *
 * @param before id of the last transfer of the page before
 * @throws Problem `as_of_not_reached`
 */
export function listTransfers(
  pool: Pool,
  filter: TransferFilter,
  asOf: AsOf,
  before: bigint | undefined,
  limit: number,
): Promise<TransferPage> {
  return readLedger(pool, asOf, async ({ checkpoint, client }) => {
    const position = asOf && 'position' in asOf ? asOf.position : checkpoint;
    const ids = filter.payment === undefined ? undefined : await idsOf(client, filter.payment);
    const { text, values } = transfersQuery({ ...filter, ids, before, until: instantOf(asOf), position }, limit + 1);
    const { rows } = await client.query<TransferRow>(text, values);
    return { rows, position };
  });
}

function instantOf(asOf: AsOf): Date | undefined {
  return asOf && 'instant' in asOf ? asOf.instant : undefined;
}

/** Every id that a transfer of this payment can have. */
async function idsOf(client: PoolClient, payment: PaymentId): Promise<string[]> {
  const { rows } = await client.query<{ position: string }>(`select position::text from events where ${ofStream}`, [
    paymentStream(payment),
  ]);
  return rows.flatMap(({ position }) => idsOfPosition(BigInt(position)).map(String));
}

interface Selection extends TransferFilter {
  readonly ids?: readonly string[];
  readonly before?: bigint;
  readonly until?: Date;
  readonly position: bigint;
}

function transfersQuery(selection: Selection, limit: number): { text: string; values: unknown[] } {
  const { account, asset, kind, party, tenant } = selection;
  const query = new QueryText();
  const books = `select id from ledger_books where ${query.all({ 'tenant =': tenant, 'asset =': asset })}`;
  const conditions = transferConditions(query, selection);
  const last = `order by id desc limit ${query.param(limit)}`;
  if (account === undefined && kind === undefined && party === undefined) {
    const ofBook = tenant === undefined && asset === undefined ? 'true' : `book in (${books})`;
    return {
      text: named(`select * from ledger_transfers where ${ofBook} and ${conditions} ${last}`),
      values: query.values,
    };
  }
  const accounts = query.all({ 'id =': account, 'kind =': kind, 'party =': party });
  const picked = `with picked as materialized (select id from ledger_accounts where book in (${books}) and ${accounts})`;
  const found = `select * from ledger_transfers
    where (debit in (select id from picked) or credit in (select id from picked)) and ${conditions}`;
  const source = selection.ids ? `${found} ${last}` : blockByBlock(found, last);
  return { text: `${picked} ${named(source)}`, values: query.values };
}

function transferConditions(
  query: QueryText,
  { before, code, from, ids, phase, position, to, until }: Selection,
): string {
  const plain = query.all({
    'id <=': lastTransferId(position).toString(),
    'id <': before?.toString(),
    'code =': code,
    'phase =': phase,
    'occurred_at >=': from,
    'occurred_at <=': to,
  });
  const asOf = query.all({ 'occurred_at <=': until });
  return `${plain} and ${asOf} and ${ids ? `id = any(${query.param(ids)}::bigint[])` : 'true'}`;
}

/**
 * There is no index by account, which would cost every insert. The sums of the past tell in which blocks of positions an
 * account has transfers; blocks are looked at from the newest, until there are enough.
 */
function blockByBlock(found: string, last: string): string {
  return `select of_block.* from (
      select distinct block from ledger_activity where account in (select id from picked) order by block desc
    ) blocks cross join lateral (
      ${found} and id >= block << ${BLOCK_SHIFT} and id < (block + 1) << ${BLOCK_SHIFT} ${last}
    ) of_block
    order by blocks.block desc, ${last.replace('order by id', 'of_block.id')}`;
}

/** With the names that the numbers stand for, and the stream of the event that posted it. */
function named(source: string): string {
  return `select t.id::text, b.tenant, b.asset, t.code, t.phase, t.resolves::text, t.amount::text,
      t.debit, d.kind as debit_kind, d.party as debit_party, t.credit, c.kind as credit_kind, c.party as credit_party,
      e.stream, t.occurred_at
    from (${source}) t join ledger_books b on b.id = t.book join ledger_accounts d on d.id = t.debit
      join ledger_accounts c on c.id = t.credit join events e on e.position = t.id / 16
    order by t.id desc`;
}

interface SideView {
  readonly account: string;
  readonly kind: AccountKind;
  readonly party: string;
}

export interface TransferView {
  readonly id: string;
  /** Of the event that posted it. */
  readonly position: string;
  readonly stream: string;
  readonly tenant: string;
  readonly asset: string;
  readonly code: Code;
  readonly phase: Phase;
  readonly resolves: string | null;
  readonly amount: string;
  readonly debit: SideView;
  readonly credit: SideView;
  readonly occurred_at: string;
}

export function transferView(row: TransferRow): TransferView {
  const { amount, asset, code, id, phase, resolves, stream, tenant } = row;
  const debit = { account: String(row.debit), kind: row.debit_kind, party: row.debit_party };
  const credit = { account: String(row.credit), kind: row.credit_kind, party: row.credit_party };
  const position = positionOfTransfer(BigInt(id)).toString();
  const occurred_at = row.occurred_at.toISOString();
  return { id, position, stream, tenant, asset, code, phase, resolves, amount, debit, credit, occurred_at };
}
