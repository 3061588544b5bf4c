import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventStore } from '../../src/base/event-store/event-store.js';

const GOLDEN = join(dirname(fileURLToPath(import.meta.url)), '..', 'golden', 'events');
const TENANT = 'shop';

/** What was stored once of a type, as new. */
function sample(type: string, change: object = {}, schema = 1) {
  const [{ data }] = JSON.parse(readFileSync(join(GOLDEN, `${type}.v${schema}.json`), 'utf8')) as [{ data: object }];
  return { type, schema, data: { ...data, ...change } };
}

/** Writes batches of usage, prices, taxes, invoices, credit notes and charges of cards, `from` up to, not including, `to`; what they name is not there. */
export async function appendBilling(store: EventStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    const digits = String(n).padStart(12, '0');
    const customer = `cus_${digits.padStart(24, '0')}`;
    const streams = {
      [`usage/${TENANT}/${n}`]: [sample('UsageIngested', { batch: `00000000-0000-7000-8000-${digits}` })],
      [`meter-price/${TENANT}/m${n}/*`]: [sample('MeterPriced', { tenant: TENANT, meter: `m${n}` })],
      [`account-taxes/${TENANT}/${customer}`]: [sample('AccountTaxesSet', { tenant: TENANT, customer })],
      [`invoice/${TENANT}/${customer}/1`]: [
        sample('InvoiceDrafted', { tenant: TENANT, customer }),
        ...(n % 3 === 0 ? [] : [sample('InvoiceFinalized')]),
        ...(n % 3 === 1 ? [sample('InvoicePaymentApplied')] : []),
        ...(n % 3 === 2 ? [sample('CreditNoteIssued', { returned: '0' }, 2)] : []),
      ],
      [`card-charge/${TENANT}/chg_${digits.padStart(24, '0')}`]: [
        sample('CardChargeRequested', { tenant: TENANT, customer, invoice: `inv_${digits.padStart(24, '0')}` }),
        sample('CardChargeSubmitted'),
        sample('CardChargeSucceeded'),
        sample('DisputeOpened'),
      ],
    };
    for (const [stream, events] of Object.entries(streams)) {
      for (const [expectedVersion, event] of events.entries()) {
        await store.append({ stream, tenant: TENANT, expectedVersion, decide: () => ({ events: [event] }) });
      }
    }
  }
}
