import type { LocalAccount } from 'viem';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, buy, newBuyer, present, sign } from '../support/payment.js';
import { startSibling } from '../support/sibling.js';

const SETTLE_MS = 20_000;

let app: App;
let other: App;
let books: Books;

beforeAll(async () => {
  app = await startApp();
  other = await startSibling(app, 'gateway');
  books = new Books(app.engines);
});

afterAll(async () => {
  await books?.close();
  await other?.stop();
  await app?.stop();
});

function admin(method: string, path: string, body?: object): Promise<Reply> {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const headers = { authorization: `Bearer ${app.adminKey}`, ...type };
  return send({ url: `${app.control}/admin/v1${path}`, method, headers, body: body && JSON.stringify(body) });
}

async function json(method: string, path: string, body?: object): Promise<object> {
  const reply = await admin(method, path, body);
  expect({ status: reply.status, body: reply.body }).toMatchObject({ status: 200 });
  return JSON.parse(reply.body);
}

const standingPath = (payer: string) => `/customers/demo/${payer}/standing`;
const deny = (payer: string) => json('PUT', standingPath(payer), { standing: 'denied', reason: 'abuse' });
const weather = ({ gateway }: App) => ({ url: `${gateway}/demo/weather` });

/** Pays again and again, on both gateways by turns, until it was refused a few times; when each was sent and what came. */
async function insist(buyer: LocalAccount, refusals: number) {
  const outcomes: { sentAt: number; status: number; code: string | undefined }[] = [];
  for (let refused = 0, n = 0; refused < refusals; n++) {
    const call = weather(n % 2 === 0 ? app : other);
    const payment = await sign(buyer, await ask(call));
    const sentAt = performance.now();
    const reply = await present(call, payment);
    if (reply.status !== 200) refused++;
    outcomes.push({ sentAt, status: reply.status, code: reply.status === 200 ? undefined : codeOf(reply) });
  }
  return outcomes;
}

describe('a payer on the deny list', () => {
  it('is refused by every gateway from the answer on, while it goes on paying', async () => {
    const buyer = await newBuyer(app, 10_000_000n);
    for (const gateway of [app, other]) expect((await buy(buyer, weather(gateway))).status).toBe(200);
    const lanes = Promise.all(Array.from({ length: 6 }, () => insist(buyer, 3)));
    const before = await books.admissionsOf(addressOf(buyer));
    await eventually(async () => (await books.admissionsOf(addressOf(buyer))) > before + 10);
    expect(await deny(addressOf(buyer))).toMatchObject({ standing: 'denied', reason: 'abuse' });
    const answeredAt = performance.now();
    const outcomes = (await lanes).flat();
    const later = outcomes.filter(({ sentAt }) => sentAt > answeredAt);
    expect(later.length).toBeGreaterThan(0);
    for (const one of later) expect(one).toMatchObject({ status: 403, code: 'payer_denied' });
    const served = outcomes.filter(({ status }) => status === 200).length;
    expect(await books.admissionsOf(addressOf(buyer))).toBe(served + 2);
  });

  it('still settles what it was served, gets that answer again, and nothing else', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const call = weather(app);
    const payment = await sign(buyer, await ask(call));
    const bought = await present(call, payment);
    expect(bought.status).toBe(200);
    await deny(addressOf(buyer));
    expect(await present(weather(other), payment)).toMatchObject({ status: 200, body: bought.body });
    const fresh = await buy(buyer, call);
    expect([fresh.status, codeOf(fresh)]).toEqual([403, 'payer_denied']);
    const id = String(bought.headers['tollbook-payment']);
    await eventually(
      async () => JSON.parse((await admin('GET', `/payments/${id}`)).body).state === 'settled',
      SETTLE_MS,
    );
  });

  it('is served again once it is off the list', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const payer = addressOf(buyer);
    await deny(payer);
    expect((await buy(buyer, weather(other))).status).toBe(403);
    expect(await json('DELETE', standingPath(payer))).toMatchObject({ standing: 'none', reason: null });
    await eventually(async () => (await buy(buyer, weather(other))).status === 200);
  });
});

describe('a tenant that serves listed payers only', () => {
  afterAll(() => json('PUT', '/lists/demo', { mode: 'open' }));

  it('refuses everybody else', async () => {
    const [member, stranger] = [await newBuyer(app, 1_000_000n), await newBuyer(app, 1_000_000n)];
    await json('PUT', standingPath(addressOf(member)), { standing: 'allowed', reason: 'contract' });
    expect(await json('PUT', '/lists/demo', { mode: 'allow_listed' })).toEqual({
      tenant: 'demo',
      mode: 'allow_listed',
    });
    const replies = [await buy(member, weather(other)), await buy(stranger, weather(other))];
    expect(replies.map(({ status }) => status)).toEqual([200, 403]);
    expect(await json('GET', '/lists/demo')).toEqual({ tenant: 'demo', mode: 'allow_listed' });
  });
});

describe('the lists over REST', () => {
  it('are shown by page', async () => {
    const payers = ['a1', 'a2', 'a3'].map((byte) => `0x${byte.repeat(20)}`);
    for (const payer of payers) await deny(payer);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = (await json('GET', `/lists/demo/payers?standing=denied&limit=2${cursor}`)) as {
        data: { payer: string }[];
        next_cursor?: string;
      };
      seen.push(...page.data.map(({ payer }) => payer));
      cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(expect.arrayContaining(payers));
    expect(seen).toEqual([...new Set(seen)].sort());
  });

  it.each([
    [404, 'PUT', '/customers/nobody/0x{}/standing', { standing: 'denied', reason: 'abuse' }],
    [400, 'PUT', '/customers/demo/abc/standing', { standing: 'denied', reason: 'abuse' }],
    [400, 'PUT', '/customers/demo/0x{}/standing', { standing: 'denied', reason: 'did not like him' }],
    [400, 'PUT', '/customers/demo/0x{}/standing', { standing: 'denied' }],
    [400, 'PUT', '/lists/demo', { mode: 'closed' }],
    [404, 'GET', '/lists/nobody', undefined],
    [400, 'GET', '/lists/demo/payers?standing=none', undefined],
  ])('answer %i to %s %s', async (status, method, path, body) => {
    expect((await admin(method, path.replace('{}', 'cd'.repeat(20)), body)).status).toBe(status);
  });
});
