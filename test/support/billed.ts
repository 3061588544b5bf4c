import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { openBatchPool } from '../../src/base/platform/pool.js';
import { OpenAccount } from '../../src/domains/customers/account.decide.js';
import { accountHandlers } from '../../src/domains/customers/account.handlers.js';
import { type CustomerId } from '../../src/domains/customers/account.js';
import { billingProjection } from '../../src/domains/invoicing/billing.projection.js';
import { Closer } from '../../src/domains/invoicing/closer.js';
import { creditNotesProjection } from '../../src/domains/invoicing/credit-notes.projection.js';
import { invoiceHandlers } from '../../src/domains/invoicing/invoice.handlers.js';
import { invoicesProjection } from '../../src/domains/invoicing/invoices.projection.js';
import { prepaidHandlers } from '../../src/domains/invoicing/prepaid.handlers.js';
import { settingsHandlers } from '../../src/domains/invoicing/settings.handlers.js';
import { PublishMeter } from '../../src/domains/metering/meter.decide.js';
import { meterHandlers } from '../../src/domains/metering/meter.handlers.js';
import type { MeterRules } from '../../src/domains/metering/meter.schemas.js';
import { UsageIngestion } from '../../src/domains/metering/usage-ingestion.js';
import { commitmentsProjection } from '../../src/domains/payments/commitments.projection.js';
import { cardChargesProjection } from '../../src/domains/settlement/cards/card-charges.projection.js';
import { CardVault } from '../../src/domains/settlement/cards/card-vault.js';
import { cardHandlers } from '../../src/domains/settlement/cards/cards.handlers.js';
import { upcast } from '../../src/event-catalogue.js';
import { commitmentAccepted, commitmentDelivered } from './commitment-events.js';
import { freshDatabase } from './engines.js';
import { runToEnd, silent } from './projections.js';

export const TENANT = 'shop';
type Handler = new (
  store: EventStore,
  pool: Pool,
  clock: () => number,
) => { execute(command: object): Promise<unknown> };

/** What a usage event is other than usual. */
interface Sent {
  readonly id?: string;
  readonly at?: number;
  readonly type?: string;
  readonly replaces?: string;
}

/** A book of one tenant, whose time is an argument, in which what was used is billed. */
export class BilledBook {
  now = Date.parse('2026-11-10T12:00:00Z');
  readonly clock: () => number;
  readonly pool: Pool;
  readonly store: EventStore;
  readonly closer: Closer;
  readonly vault = new CardVault(Buffer.alloc(32, 1));
  private readonly tail: LogTail;
  private readonly handlers: ReadonlyMap<string, { execute(command: object): Promise<unknown> }>;
  private readonly usage: UsageIngestion;
  private commitments = 0;

  private constructor(
    readonly databaseUrl: string,
    clock?: () => number,
  ) {
    this.clock = clock ?? (() => this.now);
    this.pool = openBatchPool(databaseUrl, 'test', 8, silent);
    this.tail = new LogTail(databaseUrl, silent);
    this.store = new EventStore(this.pool, this.clock, upcast);
    const cards = cardHandlers(this.vault);
    const all = [
      ...accountHandlers,
      ...meterHandlers,
      ...invoiceHandlers,
      ...prepaidHandlers,
      ...settingsHandlers,
      ...cards,
    ] as unknown as Handler[];
    const { pool, store } = this;
    this.handlers = new Map(all.map((one) => [one.name, new one(store, pool, this.clock)]));
    this.closer = new Closer(pool, store, this.clock, (command) => this.execute(command));
    this.usage = new UsageIngestion(pool, store, this.clock);
  }

  static async open(): Promise<BilledBook> {
    return new BilledBook(await freshDatabase());
  }

  /** Of a database that is there and migrated. @param clock that of other processes on it */
  static at(databaseUrl: string, clock?: () => number): BilledBook {
    return new BilledBook(databaseUrl, clock);
  }

  async close(): Promise<void> {
    await this.tail.stop();
    await this.pool.end();
  }

  execute(command: object): Promise<unknown> {
    return this.handlers.get(`${command.constructor.name}Handler`)!.execute(command);
  }

  async account(customer: CustomerId, timeZone = 'UTC'): Promise<void> {
    const token = { network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, decimals: 6 } as const;
    const terms = {
      currency: 'USD',
      ...token,
      creditLine: '1000000000',
      period: 'month',
      timeZone,
      wayToPay: 'x402',
    } as const;
    await this.execute(new OpenAccount(TENANT, customer, terms));
  }

  async meter(id: string, rules: Partial<MeterRules> = {}): Promise<void> {
    const usual = { aggregation: 'sum', value: '/n', eventType: id, unit: id, late: { kind: 'own_period' } } as const;
    await this.execute(new PublishMeter(TENANT, id, { ...usual, ...rules } as MeterRules));
  }

  /** Usage of a meter now, or at another time. Returns what became of it. */
  async use(
    customer: string,
    meter: string,
    n: string,
    { id = `u${this.commitments++}`, at = this.now, ...more }: Sent = {},
  ) {
    const time = new Date(at).toISOString();
    const event = { specversion: '1.0', id, source: '/s', type: meter, subject: customer, time, data: { n }, ...more };
    return (await this.ingest([event]))[0];
  }

  ingest(events: readonly object[]) {
    return this.usage.ingest(TENANT, events as never, { atomic: false });
  }

  /** A request on account that was delivered now. Returns its id. */
  async request(customer: CustomerId, charged: bigint): Promise<string> {
    const accepted = commitmentAccepted(customer, charged);
    const id = `com_${(this.commitments++).toString().padStart(32, '0')}`;
    const stream = `commitment/${id}`;
    const key = `credit/${TENANT}/${customer}`;
    const place = { stream, tenant: TENANT };
    const holds = [{ key, delta: charged, signed: true }];
    await this.store.append({ ...place, expectedVersion: 0, holds, decide: () => ({ events: [accepted] }) });
    const delivered = commitmentDelivered(accepted, charged);
    await this.store.append({ ...place, expectedVersion: 1, decide: () => ({ events: [delivered] }) });
    return id;
  }

  /** Brings what invoices are reckoned from up to the log. */
  async project(): Promise<void> {
    for (const one of [
      commitmentsProjection,
      billingProjection,
      invoicesProjection,
      creditNotesProjection,
      cardChargesProjection,
    ]) {
      await runToEnd(this.pool, this.tail, one);
    }
  }

  runToEnd(projection: Parameters<typeof runToEnd>[2]): Promise<void> {
    return runToEnd(this.pool, this.tail, projection);
  }

  /** One pass of a worker. */
  async pass(customers: readonly CustomerId[], early = false): Promise<void> {
    await this.project();
    await this.closer.close(TENANT, customers, { early });
    await this.project();
  }

  async invoices(): Promise<Record<string, unknown>[]> {
    const { rows } = await this.pool.query(
      `select customer, sequence, number, state, total::text, cut_to from invoices order by tenant, customer, sequence`,
    );
    return rows;
  }
}
