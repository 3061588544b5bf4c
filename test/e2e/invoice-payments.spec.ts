import { randomUUID } from 'node:crypto';
import { ExactEvmScheme } from '@x402/evm';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { testAccount } from '../support/buyer.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, send } from '../support/http.js';
import { ask, newBuyer, present, sign } from '../support/payment.js';

const CENT = 10_000n;

let app: App;
let key: string;
/** An account each, invoiced for 2.50. */
let invoices: readonly { readonly id: string; readonly customer: string }[];
let draft: string;

const put = (path: string, body: object) => admin(app, path, { method: 'PUT', body });
const post = (path: string, body: object = {}) =>
  admin(app, path, { method: 'POST', body, headers: { 'idempotency-key': randomUUID() } });
const get = async (path: string) => JSON.parse((await admin(app, path)).body);
const urlOf = (id: string, query = '') => `${app.gateway}/-/invoices/${id}${query}`;
const call = (id: string, query = ''): Call => ({ url: urlOf(id, query), method: 'GET' });
const owed = async (customer: string) => (await get(`/accounts/demo/${customer}/balance`)).owed;

/** An account that has used 250 cents' worth now. */
async function used(): Promise<string> {
  const { customer } = JSON.parse((await post('/accounts/demo', { credit_line: '100000000' })).body);
  const { now } = await get('/tenants/demo/clock');
  const event = { specversion: '1.0', id: randomUUID(), source: '/s', type: 'pages', subject: customer, time: now };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' };
  const body = JSON.stringify({ ...event, data: { n: '250' } });
  expect((await fetch(`${app.control}/v1/events`, { method: 'POST', headers, body })).status).toBeLessThan(300);
  await eventually(async () => (await get(`/accounts/demo/${customer}/upcoming-invoice`)).total === '250', 20_000);
  return customer;
}

/** Puts the clock to the beginning of the next month, and so much later. */
async function nextMonth(laterMs: number): Promise<void> {
  const { now } = await get('/tenants/demo/clock');
  const month = Date.UTC(Number(now.slice(0, 4)), Number(now.slice(5, 7)), 1);
  expect((await put('/tenants/demo/clock', { advance_to: new Date(month + laterMs).toISOString() })).status).toBe(200);
}

const invoiceOf = async (customer: string) => (await get(`/invoices?customer=${customer}`)).data[0];
const numbered = (customer: string) =>
  eventually(async () => {
    const invoice = await invoiceOf(customer);
    return invoice?.number ? (invoice as { id: string; customer: string }) : undefined;
  }, 30_000);

/** The official client takes a dollar at most, unless it is told otherwise. */
const paying = (index: number, maxAmountPerPayment: '$5' | '$1' = '$5') => {
  const schemes = [{ network: 'eip155:84532' as const, client: new ExactEvmScheme(testAccount(index)) }];
  return wrapFetchWithPaymentFromConfig(fetch, { schemes, spendControls: { maxAmountPerPayment } }) as typeof fetch;
};

beforeAll(async () => {
  app = await startApp();
  key = JSON.parse((await post('/tenants/demo/ingestion-keys')).body).key;
  await put('/meters/demo/pages', { aggregation: 'sum', value: '/n', eventType: 'pages', unit: 'page' });
  await put('/meters/demo/pages/price', { charge: { model: 'per_unit', amount: String(CENT), per: 1 } });
  const customers = [await used(), await used(), await used()];
  await nextMonth(7_200_000);
  invoices = await Promise.all(customers.map(numbered));
  const late = await used();
  await nextMonth(60_000);
  draft = await eventually(async () => (await invoiceOf(late))?.id, 30_000);
});

afterAll(() => app?.stop());

describe('an invoice is a resource', () => {
  it('that an unmodified client pays, in parts and whole; paid, it asks nothing', async () => {
    const { customer, id } = invoices[0]!;
    expect(await get(`/invoices/${id}`)).toMatchObject({ payUrl: urlOf(id) });
    const page = await admin(app, `/invoices/${id}/documents/html`);
    expect(page.body).toContain(`/-/invoices/${id}`);
    await expect(paying(4, '$1')(urlOf(id))).rejects.toThrow();
    const part = await paying(4, '$1')(urlOf(id, '?amount=50'));
    expect([part.status, await part.json()]).toMatchObject([200, { invoice: id, customer, paid_in: '500000' }]);
    expect(await owed(customer)).toBe('2000000');
    await eventually(async () => (await ask(call(id))).accepts[0].amount === '2000000');
    const rest = await paying(5)(urlOf(id));
    expect([rest.status, await rest.json()]).toMatchObject([200, { invoice: id, paid_in: '2000000' }]);
    expect(await owed(customer)).toBe('0');
    const paid = await eventually(async () => {
      const reply = await send(call(id));
      return reply.status === 200 ? JSON.parse(reply.body) : undefined;
    }, 10_000);
    expect(paid).toEqual({ invoice: id, state: 'paid', currency: 'USD', total: '250', outstanding: '0' });
    const document = await get(`/invoices/${id}`);
    expect(document).toMatchObject({ state: 'paid', paid: '250', outstanding: '0' });
    expect(document.payUrl).toBeUndefined();
  });

  it('that one payment pays once, however often it is shown and when', async () => {
    const { customer, id } = invoices[1]!;
    const buyer = await newBuyer(app, 10_000_000n);
    const payment = await sign(buyer, await ask(call(id)));
    const late = await sign(buyer, await ask(call(id)));
    const replies = await Promise.all(Array.from({ length: 4 }, () => present(call(id), payment)));
    expect(new Set(replies.map(({ body, status }) => `${status} ${body}`)).size).toBe(1);
    expect(replies[0]!.status).toBe(200);
    await eventually(async () => (await send(call(id))).status === 200, 10_000);
    const again = await present(call(id), payment);
    expect([again.body, again.headers['payment-response']]).toEqual([replies[0]!.body, expect.any(String)]);
    const unused = await present(call(id), late);
    expect([unused.status, JSON.parse(unused.body).state]).toEqual([200, 'paid']);
    expect(unused.headers['payment-response']).toBeUndefined();
    expect(await owed(customer)).toBe('0');
  });

  it('that two who pay at once pay once and a top-up', async () => {
    const { customer, id } = invoices[2]!;
    const buyers = await Promise.all([newBuyer(app, 3_000_000n), newBuyer(app, 3_000_000n)]);
    const payments = await Promise.all(buyers.map(async (buyer) => sign(buyer, await ask(call(id)))));
    const replies = await Promise.all(payments.map((payment) => present(call(id), payment)));
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    const paidIn = replies.filter(({ headers }) => headers['payment-response'] !== undefined).length;
    expect(await owed(customer)).toBe(String(2_500_000n - 2_500_000n * BigInt(paidIn)));
    await eventually(async () => (await get(`/invoices/${id}`)).state === 'paid', 10_000);
  });

  it('that is there, final and not void', async () => {
    const codes = async (id: string, query = '') => {
      const reply = await send(call(id, query));
      return [reply.status, codeOf(reply)];
    };
    expect(await codes('inv_000000000000000000000000')).toEqual([404, 'unknown_invoice']);
    expect(await codes(draft)).toEqual([409, 'invoice_not_final']);
    await nextMonth(0);
    await eventually(async () => (await get(`/invoices/${draft}`)).state === 'open', 30_000);
    expect(await codes(draft, '?amount=251')).toEqual([409, 'payment_exceeds_invoice']);
    expect(await codes(draft, '?amount=x')).toEqual([400, 'invalid_request']);
    expect((await post(`/invoices/${draft}/void`, { reason: 'mistaken' })).status).toBe(200);
    expect(await codes(draft)).toEqual([410, 'invoice_void']);
  });
});
