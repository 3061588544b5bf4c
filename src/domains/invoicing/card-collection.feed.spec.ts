import type { StoredEvent } from '../../base/event-store/event.js';
import { decideRequestRefund, RequestCardRefund } from '../settlement/cards/card-charge.decide.js';
import { foldCharge } from '../settlement/cards/card-charge.evolve.js';
import { cardChargeStream } from '../settlement/cards/card-charge.js';
import { CollectByCard, decideCollect } from './card-collection.decide.js';
import { cardCollectionFeed } from './card-collection.feed.js';
import { foldInvoice, outstandingOf, paidOf } from './invoice.evolve.js';
import { invoiceStream } from './invoice.js';
import { decideReverse, type ReversePayment } from './money.decide.js';

const CHARGE = cardChargeStream('shop', 'cc_1');
const INVOICE = invoiceStream('shop', 'cus_1', 1);
const asked = { tenant: 'shop', customer: 'cus_1', sequence: 1, invoice: 'inv_1', amount: '100', scale: '1' };
const final = { total: '100', scale: '1', currency: 'USD' };
const opened = (dispute: string, amount: string) =>
  ['DisputeOpened', { dispute, amount, fee: '0', reason: 'fraudulent' }] as const;

/** A charge of 100 for an invoice of 100, and all that is written in between. */
function world() {
  const streams = new Map<string, StoredEvent[]>();
  const of = (stream: string) => streams.get(stream) ?? [];
  const add = (stream: string, type: string, data: object) => {
    const event = { stream, type, data, schema: 1, version: of(stream).length + 1, tenant: 'shop' };
    streams.set(stream, [...of(stream), event as unknown as StoredEvent]);
    return event as unknown as StoredEvent;
  };
  const write = async (command: CollectByCard | ReversePayment | RequestCardRefund) => {
    const isRefund = command instanceof RequestCardRefund;
    const invoice = foldInvoice(of(INVOICE));
    const { events } = isRefund
      ? decideRequestRefund(foldCharge(of(CHARGE)), command)
      : command instanceof CollectByCard
        ? decideCollect(invoice, command)
        : decideReverse(invoice, command);
    for (const { data, type } of events) add(isRefund ? CHARGE : INVOICE, type, data);
  };
  const feed = cardCollectionFeed({ readStream: async (name: string) => of(name) } as never, write);
  const hear = async (...events: readonly StoredEvent[]) => feed.begin()({} as never, events);
  add(CHARGE, 'CardChargeRequested', asked);
  add(INVOICE, 'InvoiceDrafted', {});
  add(INVOICE, 'InvoiceFinalized', final);
  return {
    ...{ hear, invoice: () => foldInvoice(of(INVOICE))!, charge: () => foldCharge(of(CHARGE))! },
    charged: (type: string, data: object) => add(CHARGE, type, data),
    transferred: (amount: string) =>
      add(INVOICE, 'InvoicePaymentApplied', { source: 'transfer', reference: 'wire', amount }),
  };
}

const money = ({ charge, invoice }: ReturnType<typeof world>) => ({
  paid: paidOf(invoice()),
  outstanding: outstandingOf(invoice()),
  back: [...charge().refunds.values()].reduce((sum, refund) => sum + BigInt(refund.asked.amount), 0n),
});

describe('what is disputed of a charge', () => {
  it('is not paid by what had gone back to the card as surplus', async () => {
    const one = world();
    one.transferred('60');
    await one.hear(one.charged('CardChargeSucceeded', { processorId: 'pi_1' }));
    expect(money(one)).toEqual({ paid: 100n, outstanding: 0n, back: 60n });
    await one.hear(one.charged(...opened('dp_1', '40')));
    expect(money(one)).toEqual({ paid: 60n, outstanding: 40n, back: 60n });
  });

  it('is less by each dispute, however often they are heard', async () => {
    const one = world();
    await one.hear(one.charged('CardChargeSucceeded', { processorId: 'pi_1' }));
    const first = one.charged(...opened('dp_1', '30'));
    await one.hear(first, first);
    expect(money(one)).toMatchObject({ paid: 70n, outstanding: 30n });
    const second = one.charged(...opened('dp_2', '20'));
    await one.hear(second, second);
    expect(money(one)).toMatchObject({ paid: 50n, outstanding: 50n });
  });

  it('is given back by a dispute that was won, though both were written before either was heard', async () => {
    const one = world();
    await one.hear(one.charged('CardChargeSucceeded', { processorId: 'pi_1' }));
    const events = [one.charged(...opened('dp_1', '30')), one.charged('DisputeWon', { dispute: 'dp_1', fee: '0' })];
    await one.hear(...events);
    await one.hear(...events);
    expect(money(one)).toEqual({ paid: 100n, outstanding: 0n, back: 0n });
  });
});
