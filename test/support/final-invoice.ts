import type { CustomerId } from '../../src/domains/customers/account.js';
import { DraftInvoice, FinalizeInvoice } from '../../src/domains/invoicing/invoice.decide.js';
import { invoiceIdOf, invoiceStream } from '../../src/domains/invoicing/invoice.js';
import type { InvoiceLine } from '../../src/domains/invoicing/invoice-line.js';
import { partiesOfInvoice } from '../../src/domains/invoicing/parties.queries.js';
import { type BilledBook, TENANT } from './billed.js';

const party = { name: 'x', lines: [], country: 'ZZ' };
const period = { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' };

/** An invoice of usage, final. @param total cents */
export async function finalInvoice(
  book: Pick<BilledBook, 'execute'>,
  customer: CustomerId,
  sequence: number,
  total: bigint,
): Promise<void> {
  await book.execute(
    new DraftInvoice({
      ...{ tenant: TENANT, customer, sequence, reason: 'period', period, timeZone: 'UTC', graceUntil: period.to },
      ...{ currency: 'USD', network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, decimals: 6 },
    }),
  );
  const id = invoiceIdOf(invoiceStream(TENANT, customer, sequence));
  const { attachment, buyerDigest, sellerDigest } = partiesOfInvoice(id, { seller: party, buyer: party });
  const amount = String(total);
  const line: InvoiceLine = {
    ...{ key: 'a', kind: 'usage', period, description: 'a', quantity: '1', unit: 'page', events: 1, amount },
    ...{ exact: String(total * 10_000n), root: 'A'.repeat(43) },
  };
  const content = {
    ...{ cut: { position: '9', to: period.to }, issuedAt: period.to, dueAt: period.to, currency: 'USD', decimals: 6 },
    ...{ scale: '10000', lines: [line], subtotal: amount, taxes: [], total: amount, residue: '0' },
    ...{ sellerDigest, buyerDigest },
  };
  await book.execute(new FinalizeInvoice(TENANT, customer, sequence, content, attachment));
}
