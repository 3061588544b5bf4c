import { randomUUID } from 'node:crypto';
import type { CardOutcome } from '../stripe-server/outcomes.js';
import { admin } from './admin.js';
import type { App } from './app.js';
import { eventually } from './eventually.js';
import type { Reply } from './http.js';
import type { StripeAccount } from './stripe.js';

/** What becomes of an invoice goes through webhooks, a queue and some projections. */
const LONG_MS = 60_000;
const HOUR_MS = 3_600_000;
const N = 2_000;

type Rows = readonly Record<string, unknown>[];

/** The tenant `demo`, which sells what is metered to customers that pay their invoices by card. */
export class CardShop {
  /** Of each month of each customer, in cents: 2,000 of one cent. */
  static readonly TOTAL = '2000';
  private key = '';

  constructor(
    private readonly app: Pick<App, 'control' | 'adminKey'>,
    private readonly account: StripeAccount,
  ) {}

  /** Prices and rules: an invoice is final an hour after its month. */
  async open(): Promise<void> {
    await this.put('/meters/demo/tokens', { aggregation: 'sum', value: '/n', eventType: 'tokens', unit: 'token' });
    await this.put('/meters/demo/tokens/price', { charge: { model: 'per_unit', amount: '10000' } });
    await this.put('/tenants/demo/invoicing', { due_days: 3, dunning_days: [1] });
    this.key = JSON.parse((await this.post('/tenants/demo/ingestion-keys')).body).key;
  }

  /** The account there becomes that of the tenant. */
  takeCards(): Promise<Reply> {
    const { secretKey: secret_key, url: api_base, webhookSecret: webhook_secret } = this.account;
    const processor = { processor: 'stripe', secret_key, webhook_secret, api_base, allow_private: true };
    return this.put('/tenants/demo/card-processor', processor);
  }

  /** Whose card was told in a browser. @param outcomes what its bank says each time; the last stays */
  async customer(...outcomes: CardOutcome[]): Promise<string> {
    const { customer } = JSON.parse((await this.post('/accounts/demo', { credit_line: '100000000' })).body);
    const begun = JSON.parse((await this.post(`/accounts/demo/${customer}/card`)).body);
    const method = await this.account.order('complete_setup', { setup: begun.processor_id });
    await this.account.order('outcomes', { method: method.id, outcomes });
    const card = async () => await this.get(`/accounts/demo/${customer}/card`);
    await eventually(async () => (await card()).state === 'ready', LONG_MS);
    return customer;
  }

  /** What makes the total of an invoice, now by the tenant's clock. */
  async use(customers: readonly string[]): Promise<void> {
    const { now: time } = await this.get('/tenants/demo/clock');
    const headers = { authorization: `Bearer ${this.key}`, 'content-type': 'application/cloudevents+json' };
    for (const subject of customers) {
      const event = { specversion: '1.0', id: randomUUID(), source: '/s', type: 'tokens', subject, data: { n: N } };
      const body = JSON.stringify({ ...event, time });
      const { status } = await fetch(`${this.app.control}/v1/events`, { method: 'POST', headers, body });
      if (status >= 300) throw new Error(`${status}: not taken`);
    }
    for (const customer of customers) {
      const upcoming = async () => (await this.get(`/accounts/demo/${customer}/upcoming-invoice`)).total;
      await eventually(async () => (await upcoming()) === CardShop.TOTAL, LONG_MS);
    }
  }

  /** To when the invoices of this month are final. */
  async endMonth(): Promise<void> {
    const { now } = await this.get('/tenants/demo/clock');
    await this.advanceTo(Date.UTC(Number(now.slice(0, 4)), Number(now.slice(5, 7)), 1) + 2 * HOUR_MS);
  }

  async advanceTo(time: number): Promise<void> {
    const { body, status } = await this.put('/tenants/demo/clock', { advance_to: new Date(time).toISOString() });
    if (status !== 200) throw new Error(`${status}: ${body}`);
  }

  /** The newest invoice, when it is in this state. */
  async becomes(customer: string, state: string, withinMs = LONG_MS): Promise<Record<string, unknown>> {
    const newest = async () => (await this.get(`/invoices?customer=${customer}`)).data[0];
    try {
      return await eventually(async () => {
        const invoice = await newest();
        return invoice?.state === state ? invoice : undefined;
      }, withinMs);
    } catch (error) {
      const seen = JSON.stringify([await newest(), await this.charges(customer)]);
      throw new Error(`not ${state}: ${seen}`, { cause: error });
    }
  }

  /** Newest first. */
  async charges(customer: string): Promise<Rows> {
    return (await this.get(`/card-charges?customer=${customer}`)).data;
  }

  /** Cents that went from the customer's card to the seller, and not back. */
  async taken(customer: string): Promise<number> {
    const { charges } = await this.account.book();
    const own = charges.filter(({ metadata }) => metadata.tollbook_customer === customer);
    const succeeded = own.filter(({ status }) => status === 'succeeded');
    return succeeded.reduce((sum, charge) => sum + charge.amount - charge.amount_refunded, 0);
  }

  put(path: string, body: object): Promise<Reply> {
    return admin(this.app, path, { method: 'PUT', body });
  }

  post(path: string, body: object = {}, key: string = randomUUID()): Promise<Reply> {
    return admin(this.app, path, { method: 'POST', body, headers: { 'idempotency-key': key } });
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever the API says
  async get(path: string): Promise<any> {
    return JSON.parse((await admin(this.app, path)).body);
  }
}
