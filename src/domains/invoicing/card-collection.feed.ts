import type { StoredEvent } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { RequestCardRefund } from '../settlement/cards/card-charge.decide.js';
import { type CardCharge, foldCharge } from '../settlement/cards/card-charge.evolve.js';
import { cardRefundIdOf, chargeOfStream } from '../settlement/cards/card-charge.js';
import { CollectByCard } from './card-collection.decide.js';
import { evolveInvoice, type Invoice } from './invoice.evolve.js';
import { type InvoiceEvent, invoiceStream } from './invoice.js';
import { ReversePayment } from './money.decide.js';

type Write = (command: CollectByCard | ReversePayment | RequestCardRefund) => Promise<unknown>;

/**
 * What becomes of a card's money becomes of its invoice, from the log: the checkpoint moves when all is written, so a crash in between only
 * writes again what is written already. What a card paid counts for its invoice, as much as that needs; the rest goes back. A
 * dispute takes it away, and gives it back under another reference when it is won.
 */
export function cardCollectionFeed(store: Pick<EventStore, 'readStream'>, write: Write): Projection {
  const hearing = new Hearing(store, write);
  return {
    name: 'card-collection',
    version: 1,
    types: ['CardChargeSucceeded', 'DisputeOpened', 'DisputeWon'],
    lagMs: 50,
    tables: [],
    begin: () => async (_client, events) => {
      for (const event of events) await hearing.hear(event);
    },
  };
}

class Hearing {
  constructor(
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly write: Write,
  ) {}

  async hear(event: StoredEvent): Promise<void> {
    const { stream } = event;
    const events = await this.store.readStream(stream);
    const charge = foldCharge(events)!;
    const id = chargeOfStream(stream);
    if (event.type === 'CardChargeSucceeded') return this.collect(id, charge, id, BigInt(charge.asked.amount));
    const dispute = event.data.dispute as string;
    const amount = BigInt(charge.disputes.get(dispute)!.opened.amount);
    if (event.type === 'DisputeWon') return this.collect(id, charge, `${id}/${dispute}`, amount);
    // Disputes as they stood then: what is won later is given back when that is heard.
    const { disputes } = foldCharge(events.filter(({ version }) => version <= event.version))!;
    await this.reverse(id, charge, dispute, keptOf({ ...charge, disputes }));
  }

  /** Once under one reference; what the invoice does not take goes back to the card, once. */
  private async collect(id: string, charge: CardCharge, reference: string, amount: bigint): Promise<void> {
    const { customer, sequence, tenant } = charge.asked;
    const refund = cardRefundIdOf(tenant, id, `surplus ${reference}`);
    if (charge.refunds.has(refund)) return;
    await this.write(new CollectByCard(tenant, customer, sequence, reference, amount));
    const surplus = amount - (await this.appliedOf(charge, reference));
    if (surplus > 0n) await this.write(new RequestCardRefund(tenant, id, refund, surplus, 'surplus'));
  }

  /** All that stands of the charge, and then again what is kept of it. */
  private async reverse(id: string, charge: CardCharge, dispute: string, kept: bigint): Promise<void> {
    const { customer, sequence, tenant } = charge.asked;
    const own = `${id}/${dispute}`;
    const events = await this.eventsOf(charge);
    const { applied } = events.reduce<Invoice | undefined>(evolveInvoice, undefined)!;
    // What came after this dispute is not taken away by hearing of it again.
    const standing = [...applied.values()].filter(({ reference }) => isOf(reference, id) && !isOf(reference, own));
    for (const { reference } of standing) {
      await this.write(new ReversePayment(tenant, customer, sequence, reference, 'disputed'));
    }
    if (kept > 0n) await this.collect(id, charge, `${own}/rest`, kept);
  }

  /** How much was applied under a reference, whatever became of it. */
  private async appliedOf(charge: CardCharge, reference: string): Promise<bigint> {
    for (const { data, type } of await this.eventsOf(charge)) {
      if (type === 'InvoicePaymentApplied' && data.reference === reference) return BigInt(data.amount);
    }
    return 0n;
  }

  private async eventsOf({ asked: { customer, sequence, tenant } }: CardCharge): Promise<readonly InvoiceEvent[]> {
    const stream = invoiceStream(tenant, customer, sequence);
    return (await this.store.readStream(stream)) as unknown as readonly InvoiceEvent[];
  }
}

/** What neither a dispute took away nor went back because the invoice did not need it. Minor units, below zero if both took the same. */
function keptOf({ asked, disputes, refunds }: CardCharge): bigint {
  const surplus = [...refunds.values()].filter((one) => one.asked.reason === 'surplus' && one.status !== 'failed');
  const disputed = [...disputes.values()].filter(({ status }) => status !== 'won');
  const gone = [...surplus.map((one) => one.asked), ...disputed.map(({ opened }) => opened)];
  return gone.reduce((left, { amount }) => left - BigInt(amount), BigInt(asked.amount));
}

function isOf(reference: string, name: string): boolean {
  return reference === name || reference.startsWith(`${name}/`);
}
