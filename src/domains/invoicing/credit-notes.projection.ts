import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { type CreditNoteIssued, creditNoteIdOf, type InvoiceDrafted, invoiceIdOf } from './invoice.js';

/** One row per credit note. Its number is its place among those of the tenant, in order of the log: it cannot skip. */
export const creditNotesProjection: Projection = {
  name: 'credit_notes',
  version: 1,
  lagMs: 100,
  tables: ['credit_notes'],
  types: ['CreditNoteIssued'],
  begin: () => async (client, events) => {
    const [numbers, drafts] = [await lastNumbers(client, events), await draftsOf(client, events)];
    await store(
      client,
      events.map((stored) => {
        const number = (numbers.get(stored.tenant) ?? 0) + 1;
        numbers.set(stored.tenant, number);
        return rowOf(stored, number, drafts.get(stored.stream)!);
      }),
    );
  },
};

async function lastNumbers(client: PoolClient, events: readonly StoredEvent[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ tenant: string; last: number }>(
    'select tenant, max(number) as last from credit_notes where tenant = any($1::text[]) group by tenant',
    [[...new Set(events.map(({ tenant }) => tenant))]],
  );
  return new Map(rows.map(({ last, tenant }) => [tenant, last]));
}

/** The first event of each stream: whose it is, and in which currency. */
async function draftsOf(client: PoolClient, events: readonly StoredEvent[]) {
  const { rows } = await client.query<{ stream: string; data: InvoiceDrafted['data'] }>(
    `select stream, data from events join unnest($1::text[]) as wanted (name) on stream_key(stream) = stream_key(name) and stream = name
     where version = 1`,
    [[...new Set(events.map(({ stream }) => stream))]],
  );
  return new Map(rows.map(({ data, stream }) => [stream, data]));
}

const COLUMNS = {
  id: 'text',
  tenant: 'text',
  number: 'int',
  customer: 'text',
  invoice: 'text',
  note: 'int',
  currency: 'text',
  issued_at: 'timestamptz',
  total: 'numeric',
  returned: 'numeric',
  position: 'bigint',
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

type Row = Record<keyof typeof COLUMNS, unknown>;

function rowOf({ data, position, stream, tenant }: StoredEvent, number: number, draft: InvoiceDrafted['data']): Row {
  const { issuedAt, note, returned, total } = data as unknown as CreditNoteIssued['data'];
  return {
    ...{ id: creditNoteIdOf(stream, note), tenant, number, customer: draft.customer, invoice: invoiceIdOf(stream) },
    ...{ note, currency: draft.currency, issued_at: issuedAt, total, returned, position: position.toString() },
  };
}

async function store(client: PoolClient, rows: readonly Row[]): Promise<void> {
  const arrays = NAMES.map((name, index) => `$${index + 1}::${COLUMNS[name]}[]`);
  await client.query({
    name: 'credit-notes-store',
    text: `insert into credit_notes (${NAMES.join(', ')}) select * from unnest(${arrays.join(', ')})`,
    values: NAMES.map((name) => rows.map((row) => row[name])),
  });
}
