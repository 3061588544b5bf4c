import { createTestClient, http, type LocalAccount, publicActions } from 'viem';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { addressOf, buy, newBuyer } from '../support/payment.js';

interface Settlement {
  readonly settler: string;
  readonly nonce: number;
  readonly status: string;
  readonly transaction: string;
  readonly created_at: string;
  readonly payments: readonly string[];
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly confirmations: number | null;
  readonly gas_used: string | null;
  readonly fee: string | null;
}

interface Page {
  readonly data: readonly Settlement[];
  readonly next_cursor?: string;
}

const PRICE = 1_000;
const BALANCE = 1_000_000n;
const SETTLE_MS = 20_000;

let app: App;
let buyer: LocalAccount;

beforeAll(async () => {
  app = await startApp();
  buyer = await newBuyer(app, BALANCE);
  // Counters begin with the first question.
  await metrics();
  // The payer is known after this.
  await buyWeather();
});

afterAll(() => app?.stop());

async function buyWeather(): Promise<string> {
  const { headers, status } = await buy(buyer, { url: `${app.gateway}/demo/weather` });
  expect(status).toBe(200);
  return String(headers['tollbook-payment']);
}

async function page(query = ''): Promise<Page> {
  const { body, status } = await admin(app, `/settlements${query}`);
  expect({ body, status }).toMatchObject({ status: 200 });
  return JSON.parse(body) as Page;
}

async function metrics(): Promise<string> {
  return (await send({ url: `${app.control}/metrics` })).body;
}

function sampleOf(text: string, series: RegExp): number {
  return Number(new RegExp(`^${series.source} (\\S+)$`, 'm').exec(text)?.[1]);
}

function mined(payment: string): Promise<Settlement> {
  return eventually(async () => (await page(`?payment=${payment}&status=mined`)).data[0], SETTLE_MS);
}

function node() {
  return createTestClient({ mode: 'anvil', transport: http(app.engines.chain) }).extend(publicActions);
}

describe('GET /admin/v1/settlements', () => {
  it('shows the transaction of a payment, with what the chain says of it', async () => {
    const id = await buyWeather();
    const settlement = await mined(id);
    const receipt = await node().getTransactionReceipt({ hash: settlement.transaction as `0x${string}` });
    const fee = (receipt.gasUsed * receipt.effectiveGasPrice).toString();
    const head = await node().getBlockNumber({ cacheTime: 0 });
    expect(settlement).toEqual({
      network: 'eip155:84532',
      settler: receipt.from,
      nonce: expect.any(Number),
      status: 'mined',
      transaction: receipt.transactionHash,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      payments_count: 1,
      payments: [id],
      refunds: [],
      block_number: receipt.blockNumber.toString(),
      block_hash: receipt.blockHash,
      confirmations: Number(head - receipt.blockNumber) + 1,
      gas_used: receipt.gasUsed.toString(),
      fee,
      shares: [{ tenant: 'demo', payments_count: 1, refunds_count: 0, fee }],
      attempts: [
        {
          attempt: 1,
          transaction: receipt.transactionHash,
          status: 'mined',
          created_at: settlement.created_at,
          payments_count: 1,
        },
      ],
    });
    await node().mine({ blocks: 3 });
    const { body } = await admin(app, `/settlements/${settlement.transaction.toUpperCase().replace('0X', '0x')}`);
    expect(JSON.parse(body)).toEqual({ ...settlement, confirmations: settlement.confirmations! + 3 });
  });

  it('shows what is under way, and what it is worth', async () => {
    // Who was seen just now is answered before the money moves.
    await buyWeather();
    await node().setAutomine(false);
    try {
      const id = await buyWeather();
      const waiting = await eventually(async () => (await page(`?payment=${id}`)).data[0], SETTLE_MS);
      expect(waiting).toMatchObject({ status: 'submitted', block_number: null, confirmations: null, fee: null });
      const token = String.raw`\{network="eip155:84532",asset="0x[0-9a-f]{40}"\}`;
      const settler = String.raw`\{network="eip155:84532",settler="${waiting.settler}"\}`;
      await eventually(async () => {
        const text = await metrics();
        const of = (name: string, labels: string) => sampleOf(text, new RegExp(`tollbook_${name}${labels}`));
        expect(of('unsettled_value_atomic_units', token)).toBeGreaterThanOrEqual(PRICE);
        expect(of('exposure_atomic_units', token)).toBeGreaterThanOrEqual(PRICE);
        expect(of('unsettled_oldest_age_seconds', token)).toBeGreaterThan(0);
        expect(of('settler_unmined_transactions', settler)).toBeGreaterThanOrEqual(1);
        return true;
      }, SETTLE_MS);
    } finally {
      await node().setAutomine(true);
      await node().mine({ blocks: 1 });
    }
    await eventually(async () => (await page('?status=submitted')).data.length === 0, SETTLE_MS);
  });

  it('gives every item once, page by page, newest first', async () => {
    const { data } = await page();
    expect(data.length).toBeGreaterThanOrEqual(3);
    const rows: Settlement[] = [];
    let cursor = '';
    do {
      const one = await page(`?limit=1${cursor}`);
      expect(one.data).toHaveLength(1);
      rows.push(...one.data);
      cursor = one.next_cursor === undefined ? '' : `&cursor=${one.next_cursor}`;
    } while (cursor !== '');
    expect(rows.map(({ transaction }) => transaction)).toEqual(data.map(({ transaction }) => transaction));
    const times = data.map(({ created_at: at }) => at);
    expect(times).toEqual(times.toSorted().toReversed());
    expect((await page(`?since=${times[0]}`)).data.map(({ transaction }) => transaction)).toContain(
      data[0]!.transaction,
    );
    expect((await page(`?settler=${addressOf(buyer)}`)).data).toEqual([]);
  });

  it('adds up gas and payments', async () => {
    const { data } = await page();
    const text = await metrics();
    const of = (name: string) =>
      sampleOf(text, new RegExp(`tollbook_settlement_${name}_total\\{network="eip155:84532"\\}`));
    expect(of('gas')).toBe(data.reduce((sum, one) => sum + Number(one.gas_used), 0));
    expect(of('payments')).toBe(data.reduce((sum, one) => sum + one.payments.length, 0));
    expect(of('fee_wei')).toBeCloseTo(
      data.reduce((sum, one) => sum + Number(one.fee), 0),
      -3,
    );
  });

  it.each([
    '?status=open',
    '?limit=0',
    '?cursor=x',
    '?cursor=WyJhIiwiYiJd',
    '?payment=%00',
    '?since=yesterday',
    '?hash=0x00',
  ])('refuses %s', async (query) => {
    const reply = await admin(app, `/settlements${query}`);
    expect(reply.status).toBe(400);
    expect(codeOf(reply)).toBe('invalid_request');
  });

  it.each(['/settlements/%00', '/settlements/0x00', `/settlements/0x${'00'.repeat(32)}`])(
    'knows no %s',
    async (path) => {
      const reply = await admin(app, path);
      expect(reply.status).toBe(404);
      expect(codeOf(reply)).toBe('not_found');
    },
  );

  it('answers nobody without the admin key', async () => {
    const reply = await send({ url: `${app.control}/admin/v1/settlements` });
    expect(reply.status).toBe(401);
  });
});
