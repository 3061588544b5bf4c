import { type App, startApp } from '../support/app.js';
import { CardShop } from '../support/card-shop.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';

const LONG_MS = 60_000;
const DAY_MS = 86_400_000;
const { TOTAL } = CardShop;

let app: App;
let stripe: Stripe;
let account: StripeAccount;
let shop: CardShop;
let paid: string;
let late: string;
let won: string;
let lost: string;

beforeAll(async () => {
  [app, stripe] = await Promise.all([startApp(), Stripe.start()]);
  account = await stripe.account();
  shop = new CardShop(app, account);
  await shop.open();
  const set = await shop.takeCards();
  expect([set.status, set.body]).toEqual([201, expect.not.stringContaining(account.secretKey)]);
  await account.order('webhook_url', { url: `${app.gateway}${JSON.parse(set.body).webhook_path}` });
  paid = await shop.customer();
  late = await shop.customer({ kind: 'decline', decline_code: 'insufficient_funds' }, { kind: 'succeed' });
  won = await shop.customer();
  lost = await shop.customer();
  await shop.use([paid, late, won, lost]);
  // Made, and its answer is lost.
  await account.fail('POST /v1/payment_intents', 'do_then_break_off');
  await shop.endMonth();
});
afterAll(async () => {
  await app?.stop();
  await stripe?.stop();
});

it('an invoice is paid by card once it is final, once', async () => {
  const invoice = await shop.becomes(paid, 'paid');
  expect(await shop.charges(paid)).toMatchObject([
    { invoice: invoice.id, attempt: 1, state: 'succeeded', amount: TOTAL, currency: 'USD', fee: '88' },
  ]);
  expect(await shop.taken(paid)).toBe(Number(TOTAL));
});

it('a card that was declined is asked again with the reminder', async () => {
  await shop.becomes(late, 'open');
  await eventually(async () => (await shop.charges(late))[0]?.state === 'declined', LONG_MS);
  expect(await shop.charges(late)).toMatchObject([{ attempt: 1, decline_code: 'insufficient_funds' }]);
  await shop.advanceTo(Date.parse((await shop.get('/tenants/demo/clock')).now) + 5 * DAY_MS);
  await shop.becomes(late, 'paid');
  expect((await shop.charges(late)).map(({ attempt, state }) => [attempt, state])).toEqual([
    [2, 'succeeded'],
    [1, 'declined'],
  ]);
  expect(await shop.taken(late)).toBe(Number(TOTAL));
});

it('what is refunded is back on the card, once', async () => {
  const [charge] = await shop.charges(paid);
  const refund = (amount: string, key?: string) => shop.post(`/card-charges/${charge!.id}/refund`, { amount }, key);
  const [first, again] = [await refund('500', 'refund-1'), await refund('500', 'refund-1')];
  expect([first.status, again.body]).toEqual([202, first.body]);
  const refunds = async () => (await shop.get(`/card-charges/${charge!.id}`)).refunds;
  await eventually(async () => (await refunds())[0]?.state === 'succeeded', LONG_MS);
  expect(await refunds()).toMatchObject([{ amount: '500', reason: 'requested' }]);
  expect(await shop.taken(paid)).toBe(Number(TOTAL) - 500);
  expect(codeOf(await refund('1501'))).toBe('refund_exceeds_payment');
});

it.each([
  ['won', 'paid', () => won],
  ['lost', 'open', () => lost],
] as const)('an invoice whose payment is disputed is owed again; %s, it is %s', async (status, end, whose) => {
  const customer = whose();
  await shop.becomes(customer, 'paid');
  const [charge] = await shop.charges(customer);
  await account.order('hold_webhooks');
  const dispute = await account.order('open_dispute', { intent: String(charge!.processor_id) });
  // Told twice, the last first.
  await account.order('release_webhooks', { copies: 2, order: 'reversed' });
  await shop.becomes(customer, 'open');
  const disputes = async () => (await shop.get(`/disputes?customer=${customer}`)).data;
  expect(await disputes()).toMatchObject([{ state: 'open', amount: TOTAL, fee: '1500' }]);
  expect((await shop.post(`/disputes/${dispute.id}/evidence`, { statement: 'It was delivered.' })).status).toBe(200);
  await account.order('close_dispute', { dispute: dispute.id, status });
  await eventually(async () => (await disputes())[0].state === status, LONG_MS);
  await shop.becomes(customer, end);
  expect(await shop.charges(customer)).toHaveLength(1);
  const { disputes: known, files } = await account.book();
  const { evidence } = known.find(({ id }) => id === dispute.id)!;
  expect(evidence.uncategorized_text).toContain('It was delivered.');
  expect(files.find(({ id }) => id === evidence.uncategorized_file)!.size).toBeGreaterThan(1_000);
});

it('the ledger has what the processor has', async () => {
  const { movements } = await account.book();
  const cents = movements.reduce((sum, { net }) => sum + net, 0);
  const accounts = async () => (await shop.get('/ledger/accounts?tenant=demo&kind=processor_balance')).data;
  await eventually(async () => (await accounts())[0]?.posted === `${cents}0000`, LONG_MS);
});

it('what nobody signed changes nothing', async () => {
  const url = `${app.gateway}/-/webhooks/stripe/demo`;
  const [event] = await account.order('signed_events');
  const headers = { 'content-type': 'application/json' };
  const reply = await send({ url, method: 'POST', headers, body: event!.body });
  expect([reply.status, reply.headers['content-type']]).toEqual([400, expect.stringMatching(/problem\+json/)]);
  const signed = { ...headers, 'stripe-signature': event!.signature };
  expect((await send({ url, method: 'POST', headers: signed, body: event!.body })).status).toBeLessThan(300);
  const { deliveries } = await account.book();
  expect(deliveries.filter(({ status }) => status === undefined || status >= 300)).toEqual([]);
});
