import { randomUUID } from 'node:crypto';
import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff } from '../../src/domains/pricing/catalogue.decide.js';
import type { TariffRules } from '../../src/domains/pricing/tariff.schemas.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { addressOf, ask, buy, newBuyer } from '../support/payment.js';
import { publish, routeWith } from '../support/publishing.js';

const rows = { source: 'field', field: { in: 'query', name: 'rows' }, default: 10, maximum: 1000 } as const;
const perRow = (amount: string): TariffRules => ({
  charges: [
    { model: 'flat', amount: '10' },
    { model: 'per_unit', quantity: rows, amount, per: 1 },
  ],
});
const bySize: TariffRules = {
  charges: [
    {
      model: 'per_unit',
      quantity: { source: 'text_tokens', pointer: '/text', charactersPerToken: 4 },
      amount: '1',
      per: 1,
    },
  ],
  minimum: '0',
};
const FROM = new Date(Date.now() - 3_600_000).toISOString();
const TO = new Date(Date.now() + 3_600_000).toISOString();

let app: App;
let buyers: LocalAccount[];

beforeAll(async () => {
  app = await startApp();
  const route = { tenant: 'demo', tariff: 'rows', upstreamPath: '/weather' };
  await publish(app.engines.postgres, [
    new PublishTariff('demo', 'rows', perRow('2')),
    new PublishRoute(routeWith({ id: 'rows', ...route })),
    new PublishRoute(routeWith({ id: 'more', ...route })),
  ]);
  await eventually(() => Promise.all([ask({ url: `${app.gateway}/rows` }), ask({ url: `${app.gateway}/more` })]));
  buyers = [await newBuyer(app, 1_000_000n), await newBuyer(app, 1_000_000n)];
  for (const [index, path] of ['/rows?rows=1', '/rows?rows=20', '/more', '/rows?rows=x', '/demo/weather'].entries()) {
    const { status } = await buy(buyers[index % 2]!, { url: app.gateway + path });
    if (status !== 200) throw new Error(`${path}: ${status}`);
  }
  await publish(app.engines.postgres, [new PublishTariff('demo', 'rows', perRow('3'))]);
});

afterAll(() => app?.stop());

const simulate = (body: object, id = 'rows') =>
  admin(app, `/tariffs/${id}/simulate`, { method: 'POST', body: { tenant: 'demo', from: FROM, to: TO, ...body } });

const linesOf = (body: string) =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

async function resultOf(body: object, id?: string) {
  const reply = await simulate(body, id);
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  return linesOf(reply.body).at(-1);
}

describe('POST /admin/v1/tariffs/{id}/simulate', () => {
  it('gives what was charged under the version that was charged', async () => {
    const { notRepriced, rows: result } = await resultOf({ version: 1 });
    expect(notRepriced).toEqual([]);
    expect(result.map(({ actual }: { actual: string }) => actual)).toEqual(
      result.map(({ simulated }: { simulated: string }) => simulated),
    );
  });

  it('gives what another version would have brought, per customer, route and day', async () => {
    const [first, second] = buyers.map(addressOf);
    const { type, requests, rows: result, under } = await resultOf({});
    expect([type, requests, under]).toEqual(['result', 4, { tariff: 'rows', version: 2 }]);
    const found = result.map(({ payer, route, actual, simulated }: Record<string, string>) => [
      route,
      payer,
      actual,
      simulated,
    ]);
    const expected = [
      ['more', first, '30', '40'],
      ['rows', first, '12', '13'],
      ['rows', second, '2060', '3080'],
    ];
    expect(found).toEqual(expected.sort((a, b) => (`${a}` < `${b}` ? -1 : 1)));
  });

  it('prices by rules that nobody published, and says which requests it could not price', async () => {
    const free = await resultOf({ rules: { charges: [{ model: 'flat', amount: '5' }] }, routes: ['rows', 'weather'] });
    expect(free.requests).toBe(4);
    const sum = free.rows.reduce((total: number, row: { simulated: string }) => total + Number(row.simulated), 0);
    expect(sum).toBe(20);
    const unpriced = await resultOf({ rules: bySize });
    expect(unpriced).toMatchObject({
      rows: [],
      notRepriced: [{ input: 'request_characters:/text', requests: '4', actual: '2102' }],
    });
  });

  it('knows no tariff that was never published, whatever the rules', async () => {
    const rules = { charges: [{ model: 'flat', amount: '5' }] };
    for (const body of [{}, { rules }, { tariff: 'rows' }]) {
      const reply = await simulate(body, 'nobodys');
      expect([reply.status, codeOf(reply)]).toEqual([404, 'not_found']);
    }
  });

  it('has the same bytes when it is repeated, also when the log has grown', async () => {
    const first = await simulate({});
    const { through } = linesOf(first.body).at(-1);
    expect(await buy(buyers[0]!, { url: `${app.gateway}/rows?rows=1` })).toMatchObject({ status: 200 });
    expect((await simulate({ through })).body).toBe(first.body);
    expect(linesOf((await simulate({})).body).at(-1).requests).toBe(5);
  });

  it('prices free requests, apart from what was charged', async () => {
    const payer = `0x${'fe'.repeat(20)}`;
    const headers = { 'idempotency-key': randomUUID() };
    const issued = await admin(app, `/customers/demo/${payer}/keys`, { method: 'POST', body: {}, headers });
    const { key } = JSON.parse(issued.body) as { key: string };
    const body = { counts: 'requests', limit: '5', period: 'month' };
    await admin(app, `/customers/demo/${payer}/allowance`, { method: 'PUT', body });
    const call = { url: `${app.gateway}/rows?rows=7`, headers: { 'tollbook-key': key } };
    await eventually(async () => (await send(call)).status === 200);
    const { free, rows: result } = await resultOf({ version: 1 });
    expect(free).toMatchObject([{ route: 'rows', payer, requests: '1', actual: '0', simulated: '24' }]);
    expect(result.map((row: { payer: string }) => row.payer)).not.toContain(payer);
  });

  it('tells how far it is, page by page', async () => {
    const lines = linesOf((await simulate({})).body);
    expect(lines.length).toBeGreaterThan(1);
    const progress = lines.slice(0, -1);
    expect(progress.every(({ type }) => type === 'progress')).toBe(true);
    expect(progress.at(-1).position).toBe(lines.at(-1).through);
  });

  it.each<[string, object, string, number, string | undefined]>([
    ['an unknown tenant', { tenant: 'nobody' }, 'rows', 404, undefined],
    ['an unknown tariff', {}, 'nothing', 404, undefined],
    ['an unknown version', { version: 99 }, 'rows', 404, undefined],
    [
      'rules with a fault',
      { rules: { charges: [{ model: 'flat', amount: 5 }] } },
      'rows',
      400,
      '#/rules/charges/0/amount',
    ],
    ['rules and a version', { rules: bySize, version: 1 }, 'rows', 400, '#/rules'],
    ['a period that ends before it begins', { to: FROM, from: TO }, 'rows', 400, '#/to'],
    ['a position that is none', { through: '-1' }, 'rows', 400, '#/through'],
  ])('refuses %s', async (_what, body, id, status, pointer) => {
    const reply = await simulate(body, id);
    expect([reply.status, codeOf(reply)]).toEqual([status, status === 404 ? 'not_found' : 'invalid_request']);
    if (pointer !== undefined) expect(JSON.parse(reply.body).errors).toMatchObject([{ pointer }]);
  });
});
