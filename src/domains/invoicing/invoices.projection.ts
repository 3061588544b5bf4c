import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { readStream } from '../../base/event-store/rows.js';
import { evolveInvoice, foldInvoice, type Invoice, outstandingOf } from './invoice.evolve.js';
import { type InvoiceEvent, invoiceIdOf } from './invoice.js';

/**
 * One row per invoice and draft. The number of an invoice is its place among those of the tenant that are final, in order of the log: it
 * cannot skip, and nobody has to wait for it.
 */
export const invoicesProjection: Projection = {
  name: 'invoices',
  version: 1,
  lagMs: 100,
  tables: ['invoices'],
  types: [
    ...['InvoiceDrafted', 'InvoiceFinalized', 'InvoicePaymentApplied', 'InvoicePaymentReversed', 'CreditNoteIssued'],
    ...['InvoiceOverpaid', 'InvoiceBecameOverdue', 'DunningNoticeSent', 'InvoiceVoided', 'InvoiceWrittenOff'],
  ],
  begin: () => async (client, events) => {
    const changed = new Map<string, Folded>();
    for (const stored of events) changed.set(stored.stream, await fold(client, changed.get(stored.stream), stored));
    await number(client, events, changed);
    await store(client, [...changed.values()]);
  },
};

interface Folded {
  readonly stream: string;
  readonly tenant: string;
  readonly version: number;
  readonly position: bigint;
  readonly invoice: Invoice;
  readonly number?: number;
}

/** What is not known from this batch is folded from the stream. */
async function fold(client: PoolClient, before: Folded | undefined, stored: StoredEvent): Promise<Folded> {
  const known = before ?? (stored.version === 1 ? undefined : await foldEarlier(client, stored));
  const invoice = evolveInvoice(known?.invoice, asEvent(stored));
  const { position, stream, tenant, version } = stored;
  return { stream, tenant, version, invoice, position: known?.position ?? position };
}

async function foldEarlier(client: PoolClient, { stream, version }: StoredEvent): Promise<Folded> {
  const events = (await readStream(client, stream)).filter((event) => event.version < version);
  const invoice = foldInvoice(events)!;
  const [{ position, tenant }] = events as [StoredEvent];
  return { stream, tenant, version: version - 1, position, invoice };
}

/** What all versions of an event say is read alike. */
function asEvent({ data, type }: StoredEvent): InvoiceEvent {
  return { type, schema: 1, data } as unknown as InvoiceEvent;
}

async function number(client: PoolClient, events: readonly StoredEvent[], changed: Map<string, Folded>) {
  const final = events.filter(({ type }) => type === 'InvoiceFinalized');
  if (final.length === 0) return;
  const { rows } = await client.query<{ tenant: string; last: number }>(
    'select tenant, max(number) as last from invoices where tenant = any($1::text[]) and number is not null group by tenant',
    [[...new Set(final.map(({ tenant }) => tenant))]],
  );
  const last = new Map(rows.map((row) => [row.tenant, row.last]));
  for (const { stream, tenant } of final) {
    const next = (last.get(tenant) ?? 0) + 1;
    last.set(tenant, next);
    changed.set(stream, { ...changed.get(stream)!, number: next });
  }
}

const COLUMNS = {
  id: 'text',
  tenant: 'text',
  customer: 'text',
  sequence: 'int',
  version: 'int',
  number: 'int',
  state: 'text',
  overdue: 'boolean',
  reason: 'text',
  currency: 'text',
  period_from: 'timestamptz',
  period_to: 'timestamptz',
  grace_until: 'timestamptz',
  cut_position: 'bigint',
  cut_to: 'timestamptz',
  issued_at: 'timestamptz',
  due_at: 'timestamptz',
  total: 'numeric',
  outstanding: 'numeric',
  position: 'bigint',
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
/** What an event later than the first may change; a number is given once. */
const CHANGES = NAMES.filter((name) => !['id', 'tenant', 'customer', 'sequence', 'position', 'number'].includes(name));

async function store(client: PoolClient, all: readonly Folded[]): Promise<void> {
  const rows = all.map(rowOf);
  const arrays = NAMES.map((name, index) => `$${index + 1}::${COLUMNS[name]}[]`);
  await client.query({
    name: 'invoices-store',
    text: `insert into invoices (${NAMES.join(', ')}) select * from unnest(${arrays.join(', ')})
           on conflict (id) do update set number = coalesce(invoices.number, excluded.number),
             ${CHANGES.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    values: NAMES.map((name) => rows.map((row) => row[name])),
  });
}

function rowOf({ invoice, number, position, stream, tenant, version }: Folded): Record<keyof typeof COLUMNS, unknown> {
  const { drafted, finalized, overdue, state } = invoice;
  return {
    ...{
      id: invoiceIdOf(stream),
      tenant,
      customer: drafted.customer,
      sequence: drafted.sequence,
      version,
      state,
      overdue,
    },
    ...{ number: number ?? null, reason: drafted.reason, currency: drafted.currency },
    ...{ period_from: drafted.period.from, period_to: drafted.period.to, grace_until: drafted.graceUntil },
    ...{ cut_position: finalized?.cut.position ?? null, cut_to: finalized?.cut.to ?? null },
    ...{ issued_at: finalized?.issuedAt ?? null, due_at: finalized?.dueAt ?? null, total: finalized?.total ?? null },
    ...{ outstanding: outstandingOf(invoice).toString(), position: position.toString() },
  };
}
