import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';

let app: App;
let stripe: Stripe;
let account: StripeAccount;

beforeAll(async () => {
  [app, stripe] = await Promise.all([startApp(), Stripe.start()]);
  account = await stripe.account();
});

afterAll(async () => {
  await app?.stop();
  await stripe?.stop();
});

const get = async (path: string) => JSON.parse((await admin(app, path)).body);
const key = () => ({ 'idempotency-key': crypto.randomUUID() });
const codeOf = ({ body }: { readonly body: string }) => JSON.parse(body).code;

describe('cards over REST', () => {
  const place = '/tenants/demo/card-processor';

  it('are taken by the account that a tenant names, whose secrets nobody is told', async () => {
    expect(codeOf(await admin(app, place))).toBe('not_found');
    const body = { processor: 'stripe', secret_key: account.secretKey, webhook_secret: account.webhookSecret };
    const closed = await admin(app, place, { method: 'PUT', body: { ...body, api_base: account.url } });
    expect(codeOf(closed)).toBe('invalid_request');
    const open = { ...body, api_base: account.url, allow_private: true };
    const set = await admin(app, place, { method: 'PUT', body: open });
    expect(set.status).toBe(201);
    expect((await admin(app, place, { method: 'PUT', body: open })).status).toBe(200);
    expect(set.body).not.toContain(account.secretKey);
    expect(await get(place)).toEqual({
      ...{ tenant: 'demo', processor: 'stripe', api_base: account.url, allow_private: true },
      webhook_path: '/-/webhooks/stripe/demo',
    });
  });

  it('become the way to pay of an account when its customer has told one', async () => {
    await account.order('webhook_url', { url: `${app.gateway}/-/webhooks/stripe/demo` });
    const opened = await admin(app, '/accounts/demo', { method: 'POST', headers: key(), body: {} });
    const of = `/accounts/demo/${JSON.parse(opened.body).customer}`;
    expect(await get(`${of}/card`)).toEqual({ state: 'none', card: null });
    const started = JSON.parse((await admin(app, `${of}/card`, { method: 'POST', headers: key(), body: {} })).body);
    expect(started).toMatchObject({ client_secret: expect.any(String) });
    expect(await get(`${of}/card`)).toEqual({ state: 'waiting', card: null });
    await account.order('complete_setup', { setup: started.processor_id });
    await eventually(async () => (await get(of)).way_to_pay.method === 'card');
    expect(await get(`${of}/card`)).toMatchObject({ state: 'ready', card: { last4: expect.any(String) } });
  });

  it('are heard of by signed events only', async () => {
    const url = `${app.gateway}/-/webhooks/stripe/demo`;
    const post = (to: string) =>
      fetch(to, { method: 'POST', body: '{"type":"x"}', headers: { 'stripe-signature': 't=1,v1=00' } });
    const refused = await post(url);
    expect([
      refused.status,
      refused.headers.get('content-type'),
      ((await refused.json()) as { code: string }).code,
    ]).toEqual([400, 'application/problem+json', 'webhook_signature_invalid']);
    expect((await post(`${app.gateway}/-/webhooks/stripe/nobody`)).status).toBe(404);
  });

  it('have lists, and say what is not there', async () => {
    expect(await get('/card-charges')).toEqual({ data: [] });
    expect(await get('/disputes?state=open')).toEqual({ data: [] });
    expect(codeOf(await admin(app, '/card-charges/chg_0'))).toBe('not_found');
    expect(codeOf(await admin(app, '/disputes/dp_0/evidence'))).toBe('unknown_dispute');
    expect((await admin(app, place, { method: 'DELETE' })).status).toBe(204);
    expect(codeOf(await admin(app, place))).toBe('not_found');
  });
});
