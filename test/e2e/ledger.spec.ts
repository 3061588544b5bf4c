import { USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import { gasAsset, tokenAsset } from '../../src/domains/ledger/chart.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, buy, newBuyer } from '../support/payment.js';

const NETWORK = 'eip155:84532';
const BALANCE = 1_000_000n;
const SETTLE_MS = 20_000;

interface Row {
  readonly [field: string]: string;
}
interface Page {
  readonly data: readonly Row[];
  readonly next_cursor?: string;
  readonly as_of?: string;
  readonly as_of_position?: string;
}

let app: App;
let payer: string;
/** The first payment of a payer is settled before its answer goes out; the next one is delivered on credit. */
let paidFirst: string;
let payment: string;
let books: Books;

beforeAll(async () => {
  app = await startApp();
  books = new Books(app.engines);
  const buyer = await newBuyer(app, BALANCE);
  payer = addressOf(buyer);
  const bought = async () => {
    const { headers, status } = await buy(buyer, { url: `${app.gateway}/demo/weather` });
    expect(status).toBe(200);
    const id = String(headers['tollbook-payment']);
    await eventually(async () => (await page(`transfers?payment=${id}&code=payout`)).data.length === 1, SETTLE_MS);
    return id;
  };
  paidFirst = await bought();
  payment = await bought();
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
});

function ask(path: string, key = app.adminKey): Promise<Reply> {
  return send({ url: `${app.control}/admin/v1/ledger/${path}`, headers: { authorization: `Bearer ${key}` } });
}

async function page(path: string): Promise<Page> {
  const { body, status } = await ask(path);
  expect({ status, body }).toMatchObject({ status: 200 });
  return JSON.parse(body) as Page;
}

describe('the ledger over REST', () => {
  it.each(['accounts', 'transfers', 'trial-balance'])('answers %s to the admin key only', async (path) => {
    const reply = await ask(path, 'wrong');
    expect([reply.status, codeOf(reply)]).toEqual([401, 'unauthorized']);
  });

  it('shows what a payment moved, newest first', async () => {
    const { data } = await page(`transfers?payment=${payment}`);
    const steps = ['posted payout', 'post collection', 'pending collection', 'post charge', 'pending charge'];
    expect(data.map(({ code, phase }) => `${phase} ${code}`)).toEqual(steps);
    expect(data[4]).toMatchObject({
      stream: `payment/${payment}`,
      tenant: 'demo',
      asset: tokenAsset(NETWORK, USDC_ADDRESS),
      amount: '1000',
      resolves: null,
      debit: { kind: 'customer_receivable', party: payer },
      credit: { kind: 'revenue', party: '' },
    });
    expect(data[3]!.resolves).toBe(data[4]!.id);
    expect(await page(`transfers?payment=${payment}&code=charge&phase=post`)).toMatchObject({ data: [data[3]] });
  });

  it('shows that a new payer paid first', async () => {
    const { data } = await page(`transfers?payment=${paidFirst}`);
    const steps = ['posted recognition', 'posted payout', 'post deposit', 'pending deposit'];
    expect(data.map(({ code, phase }) => `${phase} ${code}`)).toEqual(steps);
  });

  it('shows balances now and as of any event of the payment', async () => {
    const { data: moved } = await page(`transfers?payment=${payment}`);
    const receivable = async (asOf: string) => {
      const { data } = await page(`accounts?kind=customer_receivable&party=${payer}${asOf}`);
      return [data[0]!.posted, data[0]!.pending, data[0]!.available];
    };
    expect(await receivable('')).toEqual(['0', '0', '0']);
    expect(await receivable(`&as_of_position=${moved[4]!.position}`)).toEqual(['0', '1000', '0']);
    expect(await receivable(`&as_of_position=${moved[3]!.position}`)).toEqual(['1000', '0', '1000']);
    expect(await receivable(`&as_of_position=${moved[2]!.position}`)).toEqual(['1000', '-1000', '0']);
    expect(await receivable(`&as_of=${encodeURIComponent('2026-01-01T00:00:00+02:00')}`)).toEqual(['0', '0', '0']);
  });

  it('says up to where it counts: the event, or the instant that was asked for', async () => {
    for (const list of ['accounts', 'transfers', 'trial-balance']) {
      expect(await page(`${list}?as_of_position=3`)).toMatchObject({ as_of_position: '3' });
      const { as_of, as_of_position } = await page(`${list}?as_of=2026-01-01T02:00:00%2B02:00`);
      expect([as_of, as_of_position]).toEqual(['2026-01-01T00:00:00.000Z', undefined]);
    }
  });

  it('shows both sides of every book, equal, in whole decimal digits', async () => {
    const { data } = await page(`trial-balance?asset=${tokenAsset(NETWORK, USDC_ADDRESS).toUpperCase()}`);
    const sums = expect.stringMatching(/^\d+$/);
    const totals = { debits_posted: sums, credits_posted: sums, debits_pending: sums, credits_pending: sums };
    expect(data).toEqual([expect.objectContaining({ tenant: 'demo', balanced: true, totals })]);
    expect((await page('trial-balance?tenant=nobody')).data).toEqual([]);
  });

  it('goes through a list page by page', async () => {
    const all = (await page('accounts?tenant=demo')).data;
    const found: Row[] = [];
    for (let cursor = ''; ; ) {
      const { data, next_cursor: next } = await page(`accounts?tenant=demo&limit=1${cursor}`);
      found.push(...data);
      if (next === undefined) break;
      cursor = `&cursor=${next}`;
    }
    expect(found).toEqual(all);
    expect(all.length).toBeGreaterThan(3);
  });

  it('refuses a point that it has not come to, and says how far it is', async () => {
    const reply = await ask('trial-balance?as_of_position=999999999');
    expect([reply.status, codeOf(reply)]).toEqual([409, 'as_of_not_reached']);
    expect(JSON.parse(reply.body).detail).toMatch(/has come to position \d+$/);
    expect((await ask('accounts?as_of=9000-01-01T00:00:00Z')).status).toBe(409);
  });

  it.each([
    'accounts?as_of=yesterday',
    'accounts?as_of=0000-01-01T00:00:00Z',
    'accounts?as_of=9999-12-31T23:59:59-23:59',
    'accounts?as_of_position=-1',
    'accounts?as_of_position=1e3',
    'accounts?as_of_position=1&as_of=2026-01-01T00:00:00Z',
    'accounts?account=0',
    'accounts?account=4000000000',
    'accounts?kind=cash',
    'accounts?party=%00',
    'accounts?tenant=a&tenant=b',
    'accounts?cursor=WyJ4Il0',
    'accounts?limit=0',
    'transfers?payment=pay_1',
    'transfers?code=gift',
    'transfers?from=12',
    `transfers?cursor=${Buffer.from(`["${'9'.repeat(30)}"]`).toString('base64url')}`,
  ])('refuses %s', async (path) => {
    const reply = await ask(path);
    expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
  });

  it('books the gas that the settler spent', async () => {
    await eventually(async () => {
      const { data } = await page(`accounts?asset=${gasAsset(NETWORK)}&kind=network_fees`);
      return BigInt(data[0]?.posted ?? 0) > 0n;
    }, SETTLE_MS);
    const { data } = await page(`accounts?asset=${gasAsset(NETWORK)}&kind=gas_wallet`);
    expect(BigInt(data[0]!.posted!)).toBeLessThan(0n);
  });
});
