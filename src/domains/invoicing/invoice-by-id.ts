import type { Pool } from 'pg';
import type { EventStore } from '../../base/event-store/event-store.js';
import { foldInvoice, type Invoice } from './invoice.evolve.js';
import { invoiceStream } from './invoice.js';

/** As its stream has it now. The row that leads there is a moment late, so a new draft is not found at once. */
export async function invoiceById(
  pool: Pick<Pool, 'query'>,
  store: Pick<EventStore, 'readStream'>,
  tenant: string,
  id: string,
): Promise<Invoice | undefined> {
  const { rows } = await pool.query<{ customer: string; sequence: number }>({
    name: 'invoice-place',
    text: 'select customer, sequence from invoices where id = $1 and tenant = $2',
    values: [id, tenant],
  });
  if (!rows[0]) return undefined;
  return foldInvoice(await store.readStream(invoiceStream(tenant, rows[0].customer, rows[0].sequence)));
}
