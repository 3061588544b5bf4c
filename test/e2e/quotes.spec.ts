import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import type { TariffRules } from '../../src/domains/pricing/tariff.schemas.js';
import { verifyStamp } from '../../src/edges/gateway/upstream/upstream-signature.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, send } from '../support/http.js';
import { ask, buy, idOf, newBuyer, offerOf, present, sign } from '../support/payment.js';
import { publish, routeWith, tenantWith } from '../support/publishing.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const SECRET = 'an upstream secret of 32 letters or more';
const rows = { source: 'field', field: { in: 'query', name: 'rows' }, default: 10, maximum: 1000 } as const;
const tiered: TariffRules = {
  charges: [
    { model: 'flat', amount: '50', when: { is: 'equals', field: { in: 'header', name: 'x-plan' }, value: 'pro' } },
    { model: 'graduated', quantity: rows, tiers: [{ upTo: 20, amount: '10' }, { amount: '5' }], over: 'period' },
  ],
  modifiers: [{ kind: 'priority', permille: [2000, 1000, 1000, 1000, 1000, 1000, 1000, 1000] }],
  minimum: '1',
  period: 'month',
};

const classes = [
  { id: 'standard', permille: 1000 },
  { id: 'fast', permille: 3000 },
];
const classy: TariffRules = {
  charges: [{ model: 'flat', amount: '100' }],
  modifiers: [{ kind: 'class', by: { in: 'header', name: 'x-quality' }, classes }],
};

/** Names that a path of the route `deep` has. */
const DEPTH = 30;

let app: App;
let books: Books;
let upstream: CountingUpstream;

beforeAll(async () => {
  [app, upstream] = await Promise.all([
    startApp(),
    countingUpstream(({ headers }, reply) => reply.end(JSON.stringify(verifyStamp(headers, SECRET, Date.now()) ?? {}))),
  ]);
  books = new Books(app.engines);
  await publish(app.engines.postgres, [
    new RegisterTenant(
      tenantWith({ id: 'fine', host: 'fine.example', upstream: upstream.url, upstreamSecret: SECRET }),
    ),
    new PublishTariff('fine', 'classy', classy),
    new PublishRoute(routeWith({ id: 'classy', tenant: 'fine', tariff: 'classy' })),
    new PublishTariff('demo', 'tiered', tiered),
    new PublishRoute(
      routeWith({
        id: 'tiered',
        tenant: 'demo',
        tariff: 'tiered',
        pattern: '/tiered/:table',
        upstreamPath: '/weather',
      }),
    ),
    new PublishRoute(
      routeWith({
        id: 'deep',
        tenant: 'demo',
        tariff: 'tiered',
        pattern: `/deep${Array.from({ length: DEPTH }, (_, n) => `/:p${n}`).join('')}`,
        upstreamPath: '/weather',
      }),
    ),
  ]);
  await eventually(() => Promise.all([ask(call('')), ask(inClass())]));
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
  await upstream?.stop();
});

const inClass = (headers: Record<string, string> = {}): Call => ({
  url: `${app.gateway}/classy`,
  headers: { host: 'fine.example', ...headers },
});

const call = (query: string, headers: Record<string, string> = {}): Call => ({
  url: `${app.gateway}/tiered/orders${query}`,
  headers,
});
const quote = (body: object) =>
  admin(app, '/quotes', { method: 'POST', body: { tenant: 'demo', route: 'tiered', ...body } });
const described = (query: string, headers: Record<string, string> = {}) => ({
  request: { path: '/tiered/orders', query, headers },
});

describe('POST /admin/v1/quotes', () => {
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['?rows=7', {}],
    ['?rows=700', { priority: 'u=0' }],
    ['?rows=x', { 'X-Plan': 'pro' }],
    ['?rows=1&rows=2', { 'x-plan': 'free' }],
  ])('asks what the gateway asks for %s', async (query, headers) => {
    const offered = (await ask(call(query, headers))).accepts[0].amount;
    const reply = await quote(described(query, headers));
    expect([reply.status, JSON.parse(reply.body).amount]).toEqual([200, offered]);
  });

  it('explains the price, rule by rule', async () => {
    const reply = await quote({ ...described('?rows=30', { priority: 'u=0', 'x-plan': 'pro' }), used: '15' });
    expect(JSON.parse(reply.body)).toMatchObject({
      ...{ tenant: 'demo', route: 'tiered', amount: '450', units: '30' },
      tariff: { id: 'tiered', version: 1 },
      circumstances: { urgency: 0, load: 0, used: '15' },
      steps: [
        { field: '/charges/0', rule: 'flat', amount: '50', price: '50' },
        {
          field: '/charges/1',
          rule: 'graduated',
          units: '30',
          used: '15',
          tiers: ['5', '25'],
          amount: '175',
          price: '225',
        },
        { field: '/modifiers/0', rule: 'priority', value: '0', permille: '2000', price: '450' },
      ],
      inputs: { 'request_number:query:rows': '30', 'request_equals:header:x-plan=pro': 'true', used: '15' },
    });
  });

  it('prices by rules that nobody published, which meet the checks of publishing', async () => {
    const rules = { charges: [{ model: 'per_unit', quantity: rows, per: 1, amount: '4' }], minimum: '1' };
    const priced = JSON.parse((await quote({ ...described('?rows=30'), rules })).body);
    expect(priced).toMatchObject({ amount: '120', units: '30' });
    expect(priced).not.toHaveProperty('tariff');
    const wrong = { charges: [{ ...rules.charges[0], amount: '4.5' }] };
    const refused = await quote({ ...described('?rows=30'), rules: wrong });
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.body).errors).toMatchObject([{ pointer: '#/rules/charges/0/amount' }]);
  });

  it('counts what a payer used so far', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    expect(await buy(buyer, call('?rows=15'))).toMatchObject({ status: 200 });
    const used = async () => JSON.parse((await quote({ ...described('?rows=10'), payer: buyer.address })).body);
    const view = await eventually(async () => {
      const now = await used();
      return now.circumstances.used !== '0' && now;
    });
    expect(view).toMatchObject({ circumstances: { used: '15' }, amount: '75' });
  });

  it.each<[string, object, number, string, string | undefined]>([
    ['an unknown tenant', { tenant: 'nobody' }, 404, 'not_found', undefined],
    ['an unknown route', { route: 'nothing' }, 404, 'not_found', undefined],
    ['a moment before the tariff', { at: '2020-01-01T00:00:00Z' }, 404, 'not_found', undefined],
    ['a path of another route', { request: { path: '/demo/weather' } }, 400, 'invalid_request', '#/request/path'],
    ['no path where one is needed', { request: {} }, 400, 'invalid_request', '#/request/path'],
    [
      'a method that is not served',
      { request: { method: 'PUT', path: '/tiered/a' } },
      400,
      'invalid_request',
      '#/request/path',
    ],
    ['a payer that is none', { payer: '0x12' }, 400, 'invalid_request', '#/payer'],
    ['a negative load', { load: -1 }, 400, 'invalid_request', '#/load'],
    ['a fraction used', { used: '1.5' }, 400, 'invalid_request', '#/used'],
    ['a time that is none', { at: 'noon' }, 400, 'invalid_request', '#/at'],
    ['a member that is not known', { prise: 1 }, 400, 'invalid_request', '#/prise'],
    ['a header that is a number', { request: { headers: { a: 1 } } }, 400, 'invalid_request', '#/request/headers/a'],
  ])('refuses %s and says where', async (_what, body, status, code, pointer) => {
    const reply = await quote(body);
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
    if (pointer !== undefined) expect(JSON.parse(reply.body).errors).toMatchObject([{ pointer }]);
  });
});

describe('a path', () => {
  it('that no offer can name in its headers is refused', async () => {
    const at = (name: string) => send({ url: `${app.gateway}/deep${`/${name}`.repeat(DEPTH)}` });
    expect((await at('short')).status).toBe(402);
    const long = await at('x'.repeat(65));
    expect([long.status, codeOf(long)]).toEqual([414, 'path_too_long']);
  });
});

describe('a class of service', () => {
  it('is bought by paying its accept, told to the upstream and recorded with what the price looked at', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const offer = await ask(inClass());
    expect(offer.accepts).toMatchObject([
      { amount: '100', extra: { class: 'standard' } },
      { amount: '300', extra: { class: 'fast' } },
    ]);
    const fast = { ...offer, accepts: [offer.accepts.at(1)!] as const };
    const payment = await sign(buyer, fast);
    const reply = await present(inClass({ priority: 'u=5' }), payment);
    expect(offerOf(reply).error).toBe('quote_invalid');
    const paid = await present(inClass(), payment);
    expect([paid.status, JSON.parse(paid.body).class]).toEqual([200, 'fast']);
    const [authorized] = await books.eventsOf(idOf(offer, payment));
    expect(authorized!.data).toMatchObject({
      ...{ class: 'fast', urgency: 3, units: '1' },
      inputs: {
        'request_present:header:x-quality': 'false',
        ...{ request_bytes: '0', load: '0', used: 'unknown', at: expect.stringMatching(/^\d+000$/) },
      },
    });
  });

  it('that the request names is the only one on offer, and what an unmodified client buys first', async () => {
    const named = inClass({ 'x-quality': 'fast' });
    expect((await ask(named)).accepts.map(({ amount }) => amount)).toEqual(['300']);
    const buyer = await newBuyer(app, 1_000_000n);
    expect(JSON.parse((await buy(buyer, named)).body).class).toBe('fast');
    expect(JSON.parse((await buy(buyer, inClass())).body).class).toBe('standard');
  });
});
