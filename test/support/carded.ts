import { SetWayToPay } from '../../src/domains/customers/account.decide.js';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { cardCollectionFeed } from '../../src/domains/invoicing/card-collection.feed.js';
import { CardCollection } from '../../src/domains/invoicing/card-collection.js';
import { DunInvoice } from '../../src/domains/invoicing/dunning.decide.js';
import { evolveInvoice, type Invoice } from '../../src/domains/invoicing/invoice.evolve.js';
import { type InvoiceEvent, invoiceIdOf, invoiceStream } from '../../src/domains/invoicing/invoice.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { SetCardAccount } from '../../src/domains/settlement/cards/card-account.decide.js';
import { CardAccounts } from '../../src/domains/settlement/cards/card-accounts.js';
import { type CardChargeEvent, cardChargeStream, chargeIdOf } from '../../src/domains/settlement/cards/card-charge.js';
import { CardDesk } from '../../src/domains/settlement/cards/card-desk.js';
import { StripeProcessors } from '../../src/domains/settlement/cards/stripe.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from './billed.js';
import type { StripeAccount } from './stripe.js';

/** A book with one customer who pays by card, and an invoice of 15.03 dollars. */
export class CardedBook {
  readonly ledger = ledgerProjection(upcast);
  readonly desk: CardDesk;
  private readonly collection: CardCollection;
  private readonly feed;

  private constructor(
    readonly book: BilledBook,
    readonly processors: StripeProcessors,
  ) {
    const { pool, store, vault } = book;
    const accounts = new CardAccounts(pool, vault, processors);
    const execute = (command: object) => book.execute(command);
    this.desk = new CardDesk({ store, accounts, execute });
    this.collection = new CardCollection(pool, store, execute);
    this.feed = cardCollectionFeed(store, execute);
  }

  static async open(book: BilledBook, account: StripeAccount, timeoutMs?: number): Promise<CardedBook> {
    const body = { processor: 'stripe', secret_key: account.secretKey, webhook_secret: account.webhookSecret } as const;
    await book.execute(new SetCardAccount(TENANT, { ...body, api_base: account.url, allow_private: true }));
    return CardedBook.at(book, timeoutMs);
  }

  /** What another process does with the same database. */
  static at(book: BilledBook, timeoutMs?: number): CardedBook {
    return new CardedBook(book, new StripeProcessors(timeoutMs));
  }

  async stop(): Promise<void> {
    await this.processors.stop();
  }

  /** Finalizes the first invoice of a customer, who pays by this card. */
  async invoice(customer: CustomerId, method: string, charged = 15_030_000n): Promise<string> {
    const { book } = this;
    await book.account(customer);
    await book.execute(new SetWayToPay(TENANT, customer, { method: 'card', reference: method }));
    await book.request(customer, charged);
    book.now = Date.parse('2027-01-02T00:00:00Z');
    for (let n = 0; n < 3; n++) await book.pass([customer]);
    return this.idOf(customer);
  }

  idOf(customer: CustomerId): string {
    return invoiceIdOf(invoiceStream(TENANT, customer, 1));
  }

  chargeId(customer: CustomerId, attempt = 1): string {
    return chargeIdOf(TENANT, this.idOf(customer), attempt);
  }

  /** Asks for what is due, as a worker does. */
  async ask(): Promise<void> {
    await this.book.project();
    await this.collection.step();
    await this.book.project();
  }

  /** What became of charges becomes of invoices. */
  async settle(): Promise<void> {
    await this.book.runToEnd(this.feed);
    await this.book.project();
  }

  async remind(customer: CustomerId): Promise<void> {
    this.book.now += 90 * 86_400_000;
    await this.book.execute(new DunInvoice(TENANT, customer, 1, this.book.now, [1]));
  }

  async invoiceOf(customer: CustomerId): Promise<Invoice> {
    const events = (await this.book.store.readStream(invoiceStream(TENANT, customer, 1))) as unknown as InvoiceEvent[];
    return events.reduce<Invoice | undefined>(evolveInvoice, undefined)!;
  }

  async eventsOf(charge: string): Promise<CardChargeEvent['type'][]> {
    const events = await this.book.store.readStream(cardChargeStream(TENANT, charge));
    return events.map(({ type }) => type as CardChargeEvent['type']);
  }
}
