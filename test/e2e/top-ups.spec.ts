import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { payingFetch, testAccount } from '../support/buyer.js';
import { eventually } from '../support/eventually.js';
import { type Call, send } from '../support/http.js';
import { ask, newBuyer, present, sign } from '../support/payment.js';

let app: App;
let opened = 0;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app?.stop());

/** Opens an account, and waits until the gateway knows it. */
async function account(): Promise<string> {
  const headers = { 'idempotency-key': `account-${opened++}` };
  const { body } = await admin(app, '/accounts/demo', { method: 'POST', body: {}, headers });
  const { customer } = JSON.parse(body);
  await eventually(async () => (await send({ url: topUp(customer, '1'), method: 'GET' })).status === 402);
  return customer;
}

const topUp = (customer: string, amount: string) => `${app.gateway}/-/accounts/${customer}/top-up?amount=${amount}`;

async function balance(customer: string) {
  return JSON.parse((await admin(app, `/accounts/demo/${customer}/balance`)).body);
}

describe('a top-up', () => {
  it('is paid with an unmodified client', async () => {
    const customer = await account();
    const pay = payingFetch(testAccount(4));
    const paid = await pay(topUp(customer, '50000'));
    expect([paid.status, await paid.json()]).toMatchObject([200, { customer, paid_in: '50000' }]);
    expect(await balance(customer)).toMatchObject({ owed: '-50000', available: '50000' });
    await pay(topUp(customer, '7'), { method: 'POST' });
    expect(await balance(customer)).toMatchObject({ owed: '-50007', available: '50007' });
    await eventually(async () => {
      const { data } = JSON.parse((await admin(app, '/payments?tenant=demo')).body);
      expect(data.filter((one: { route: string }) => one.route === '-top-up')).toMatchObject([
        { amount: '7', state: 'settled' },
        { amount: '50000', state: 'settled' },
      ]);
      return true;
    });
  });

  it('counts once however often its payment is shown, and for no other account', async () => {
    const [customer, other] = [await account(), await account()];
    const buyer = await newBuyer(app, 10_000n);
    const call: Call = { url: topUp(customer, '900'), method: 'GET' };
    const payment = await sign(buyer, await ask(call));
    const replies = await Promise.all(Array.from({ length: 5 }, () => present(call, payment)));
    expect(new Set(replies.map(({ body, status }) => `${status} ${body}`)).size).toBe(1);
    expect(replies[0]!.status).toBe(200);
    const elsewhere = await present({ ...call, url: topUp(other, '900') }, payment);
    expect(elsewhere.status).not.toBe(200);
    expect(await balance(customer)).toMatchObject({ owed: '-900' });
    expect(await balance(other)).toMatchObject({ owed: '0' });
  });

  it('is a liability in the books, and no use of anything', async () => {
    const customer = await account();
    await payingFetch(testAccount(5))(topUp(customer, '300'));
    await eventually(async () => {
      const { body } = await admin(app, '/ledger/accounts?tenant=demo&kind=prepaid_balance&limit=200');
      const row = JSON.parse(body).data.find((one: { party: string }) => one.party === customer);
      expect(row).toMatchObject({ posted: '300' });
      return true;
    });
    const usage = JSON.parse((await admin(app, '/usage?tenant=demo&limit=200')).body);
    expect(JSON.stringify(usage)).not.toContain('top-up');
  });

  it.each(['', '0', '-1', '1.5', '1e3', '05', '1&amount=2', `1${'0'.repeat(30)}`])('of %j is none', async (amount) => {
    const customer = await account();
    const { body, status } = await send({ url: topUp(customer, amount), method: 'GET' });
    expect([status, JSON.parse(body).code]).toEqual([400, 'invalid_request']);
  });

  it('goes to an account that is there', async () => {
    const { status } = await send({ url: topUp('cus_000000000000000000000000', '5'), method: 'GET' });
    expect(status).toBe(404);
  });

  it('is taken from a suspended account, too', async () => {
    const customer = await account();
    await admin(app, `/accounts/demo/${customer}/suspension`, { method: 'PUT', body: { reason: 'abuse' } });
    expect((await payingFetch(testAccount(6))(topUp(customer, '5'))).status).toBe(200);
    expect(await balance(customer)).toMatchObject({ owed: '-5', available: '0' });
  });
});
