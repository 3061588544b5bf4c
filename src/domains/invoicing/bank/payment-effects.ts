import type { EventStore } from '../../../base/event-store/event-store.js';
import { evolveInvoice, type Invoice, outstandingOf } from '../invoice.evolve.js';
import { type InvoiceEvent, invoiceStream } from '../invoice.js';

/** What a payment did to its invoice; minor units. */
export interface Effect {
  readonly how: 'exact' | 'partial' | 'over';
  readonly applied: string;
  /** The rest: it is in the prepaid balance. */
  readonly over: string;
}

interface Place {
  readonly customer: string;
  readonly sequence: number;
}

/** Of the payments of some invoices, by reference. */
export async function effectsOn(store: Pick<EventStore, 'readStreams'>, tenant: string, places: readonly Place[]) {
  const names = new Set(places.map(({ customer, sequence }) => invoiceStream(tenant, customer, sequence)));
  const streams = await store.readStreams([...names]);
  const effects = new Map<string, Effect>();
  for (const events of streams.values()) noteEffects(events as unknown as readonly InvoiceEvent[], effects);
  return effects;
}

function noteEffects(events: readonly InvoiceEvent[], effects: Map<string, Effect>): void {
  let invoice: Invoice | undefined;
  for (const event of events) {
    invoice = evolveInvoice(invoice, event);
    if (event.type === 'InvoicePaymentApplied') {
      const how = outstandingOf(invoice) === 0n ? 'exact' : 'partial';
      effects.set(event.data.reference, { how, applied: event.data.amount, over: '0' });
    }
    if (event.type === 'InvoiceOverpaid') {
      const { amount: over, reference } = event.data;
      effects.set(reference, { how: 'over', applied: effects.get(reference)?.applied ?? '0', over });
    }
  }
}
