import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type AdminCall, admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { ask, buy, newBuyer, offerOf, present, sign } from '../support/payment.js';
import { FLAT, routeOf, Shop } from '../support/shop.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const DAY = 86_400_000;

let app: App;
let second: App;
let upstream: CountingUpstream;
let pool: pg.Pool;
let shop: Shop;

beforeAll(async () => {
  upstream = await countingUpstream((_request, reply) => reply.end('sold'));
  app = await startApp();
  second = await startSibling(app, 'control');
  pool = new pg.Pool({ connectionString: app.engines.postgres, max: 2 });
  shop = new Shop(app, upstream.url);
});

afterAll(async () => {
  await pool?.end();
  await second?.stop();
  await app?.stop();
  await upstream?.stop();
});

describe('a route', () => {
  it('is published, shown, listed, replaced, withdrawn and published again', async () => {
    const id = shop.fresh();
    await shop.open(id);
    const created = await shop.put(`/routes/${id}/thing`, routeOf('/things/:thing'));
    expect([created.status, created.headers.etag]).toEqual([201, '"1"']);
    const route = JSON.parse(created.body);
    expect(route).toMatchObject({ tenant: id, id: 'thing', upstreamPath: '/things/:thing', mode: 'async' });
    expect(await shop.json(`/routes/${id}/thing`)).toEqual(route);
    await shop.put(`/routes/${id}/other`, routeOf('/other'));
    expect(await shop.idsOf(`/routes?tenant=${id}`)).toEqual(['other', 'thing']);
    expect(await shop.idsOf(`/routes?tenant=${id}&tariff=flat`)).toEqual(['other', 'thing']);
    expect(await shop.json(`/routes?tenant=${id}&tariff=none`)).toEqual({ data: [] });
    expect(codeOf(await shop.put(`/routes/${id}/thing`, { ...route, mode: 'after' }))).toBe('precondition_required');
    const changed = await shop.put(`/routes/${id}/thing`, { ...route, mode: 'after' }, { 'if-match': '"1"' });
    expect([changed.status, changed.headers.etag]).toEqual([200, '"2"']);
    const erase: AdminCall = { method: 'DELETE', headers: { 'if-match': '"2"' } };
    expect((await admin(app, `/routes/${id}/thing`, erase)).status).toBe(204);
    expect((await admin(app, `/routes/${id}/thing`, erase)).status).toBe(204);
    expect((await admin(app, `/routes/${id}/thing`)).status).toBe(404);
    const again = await shop.put(`/routes/${id}/thing`, routeOf('/things/:thing'), { 'if-none-match': '*' });
    expect([again.status, again.headers.etag]).toEqual([201, '"4"']);
    const { rows } = await pool.query('select type from events where stream = $1 order by version', [
      `route/${id}/thing`,
    ]);
    expect(rows.map(({ type }) => type)).toEqual([
      'RoutePublished',
      'RoutePublished',
      'RouteWithdrawn',
      'RoutePublished',
    ]);
  });

  it('that is withdrawn serves nobody, not even who has a quote, but finishes what runs', async () => {
    const id = shop.fresh();
    let answer: (() => void) | undefined;
    const slow = await countingUpstream((_request, reply) => {
      answer = () => reply.end('slowly');
    });
    await shop.open(id, { upstream: slow.url });
    await shop.put(`/routes/${id}/thing`, routeOf('/thing', { mode: 'after' }));
    const buyer = await newBuyer(app, 1_000_000n);
    const offer = await eventually(() => ask(shop.call(id, '/thing')));
    const running = present(shop.call(id, '/thing'), await sign(buyer, offer));
    const late = await sign(buyer, await ask(shop.call(id, '/thing')));
    const finish = await eventually(() => answer);
    expect((await admin(app, `/routes/${id}/thing`, { method: 'DELETE' })).status).toBe(204);
    await eventually(async () => (await send(shop.call(id, '/thing'))).status === 404);
    const refused = await present(shop.call(id, '/thing'), late);
    expect([refused.status, codeOf(refused)]).toEqual([404, 'route_not_found']);
    finish();
    expect(await running).toMatchObject({ status: 200, body: 'slowly' });
    expect(slow.runs()).toBe(1);
    await slow.stop();
  });

  it('needs a tariff that is published, and a tenant', async () => {
    const id = shop.fresh();
    await shop.open(id);
    const reply = await shop.put(`/routes/${id}/thing`, routeOf('/thing', { tariff: 'absent' }));
    expect([reply.status, codeOf(reply)]).toEqual([422, 'tariff_not_published']);
    expect(JSON.parse(reply.body).errors).toMatchObject([{ pointer: '#/tariff' }]);
    expect((await admin(app, `/routes/${id}/thing`)).status).toBe(404);
    expect((await shop.put('/routes/nobody/thing', routeOf('/thing'))).status).toBe(404);
  });

  it('is told from the others of its tenant, whoever comes first', async () => {
    const [id, other] = [shop.fresh(), shop.fresh()];
    await shop.open(id);
    await shop.open(other);
    const replies = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name, index) =>
        shop.put(`/routes/${id}/${name}`, routeOf(`/things/:${name}`), {}, index < 2 ? app : second),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    const refused = replies.find(({ status }) => status === 409)!;
    expect(codeOf(refused)).toBe('route_conflict');
    expect(JSON.parse(refused.body).errors).toMatchObject([{ pointer: '#/pattern' }]);
    for (const fitting of [
      shop.put(`/routes/${id}/posted`, routeOf('/things/:x', { methods: ['POST'] })),
      shop.put(`/routes/${id}/fixed`, routeOf('/things/fixed')),
      shop.put(`/routes/${other}/a`, routeOf('/things/:a')),
    ]) {
      expect((await fitting).status).toBe(201);
    }
  });

  it.each([
    ['no method', { methods: [] }, ['#/methods']],
    ['a path that is the gateway’s own', { pattern: '/health/x' }, ['#/pattern']],
    ['a parameter from nowhere', { upstreamPath: '/:x' }, ['#/upstreamPath']],
    [
      'several faults',
      { pattern: 'thing', mode: 'never', colour: 'red' },
      ['#/colour', '#/mode', '#/pattern', '#/upstreamPath'],
    ],
    ['another id', { id: 'other' }, undefined],
  ])('is refused with %s', async (_what, change, pointers) => {
    const reply = await shop.put('/routes/demo/refused', routeOf('/refused', change));
    expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
    const errors = JSON.parse(reply.body).errors as { pointer: string }[] | undefined;
    expect(errors?.map(({ pointer }) => pointer).sort()).toEqual(pointers);
  });
});

describe('a tariff', () => {
  it('has versions that stay, and is listed by its newest', async () => {
    const id = shop.fresh();
    await shop.open(id);
    const dearer = { charges: [{ model: 'flat', amount: '2000' }] };
    const changed = await shop.put(`/tariffs/${id}/flat`, { rules: dearer });
    expect([changed.status, changed.headers.etag]).toEqual([200, '"2"']);
    expect((await shop.put(`/tariffs/${id}/flat`, { rules: dearer })).headers.etag).toBe('"2"');
    const { versions } = await shop.json<{ versions: { version: number; rules: unknown }[] }>(`/tariffs/${id}/flat`);
    expect(versions).toMatchObject([
      { version: 2, rules: dearer },
      { version: 1, rules: FLAT },
    ]);
    const first = await admin(app, `/tariffs/${id}/flat/versions/1`);
    expect([first.headers.etag, JSON.parse(first.body)]).toEqual(['"1"', { tenant: id, id: 'flat', ...versions[1] }]);
    expect((await admin(app, `/tariffs/${id}/flat/versions/3`)).status).toBe(404);
    await shop.put(`/tariffs/${id}/aaa`, { rules: FLAT });
    expect(await shop.idsOf(`/tariffs?tenant=${id}`)).toEqual(['aaa', 'flat']);
    expect(codeOf(await shop.put(`/tariffs/${id}/flat`, { rules: FLAT }, { 'if-match': '"1"' }))).toBe(
      'precondition_failed',
    );
  });

  it('may begin later: until then the version before it is in force, and a route without one is not for sale', async () => {
    const id = shop.fresh();
    await shop.open(id);
    const later = {
      rules: { charges: [{ model: 'flat', amount: '3000' }] },
      effectiveFrom: new Date(Date.now() + DAY),
    };
    expect((await shop.put(`/tariffs/${id}/flat`, later)).status).toBe(200);
    expect((await shop.put(`/tariffs/${id}/flat`, later)).headers.etag).toBe('"2"');
    expect((await shop.put(`/tariffs/${id}/opening`, later)).status).toBe(201);
    await shop.put(`/routes/${id}/now`, routeOf('/now'));
    await shop.put(`/routes/${id}/tomorrow`, routeOf('/tomorrow', { tariff: 'opening' }));
    expect((await eventually(() => ask(shop.call(id, '/now')))).accepts[0].amount).toBe('1000');
    const closed = await send(shop.call(id, '/tomorrow'));
    expect([closed.status, codeOf(closed), JSON.parse(closed.body).detail]).toEqual([
      404,
      'route_not_found',
      expect.stringContaining('begins later'),
    ]);
    const soon = new Date(Date.now() + 1_500);
    await shop.put(`/tariffs/${id}/flat`, {
      rules: { charges: [{ model: 'flat', amount: '1500' }] },
      effectiveFrom: soon,
    });
    await eventually(async () => (await ask(shop.call(id, '/now'))).accepts[0].amount === '1500');
    expect(Date.now()).toBeGreaterThanOrEqual(soon.getTime());
    const past = await shop.put(`/tariffs/${id}/flat`, { rules: FLAT, effectiveFrom: new Date(Date.now() - DAY) });
    expect([past.status, JSON.parse(past.body).errors]).toEqual([
      400,
      [{ pointer: '#/effectiveFrom', detail: 'lies in the past' }],
    ]);
  });

  it.each([
    ['rules that are no rules', { rules: 5 }, ['#/rules']],
    ['no charge', { rules: { charges: [] } }, ['#/rules/charges']],
    [
      'faults in several places',
      { rules: { charges: [{ model: 'flat', amount: '0.5' }], minimum: '-1', maximum: 'x' } },
      ['#/rules/charges/0/amount', '#/rules/maximum', '#/rules/minimum'],
    ],
    ['bounds that cross', { rules: { ...FLAT, minimum: '5', maximum: '4' } }, ['#/rules/minimum']],
    ['a member that nobody knows', { rules: FLAT, price: '1' }, ['#/price']],
  ])('is refused with %s', async (_what, body, pointers) => {
    const reply = await shop.put('/tariffs/demo/refused', body);
    expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
    const { errors } = JSON.parse(reply.body) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(pointers);
  });
});

describe('what is for sale', () => {
  it.each([
    ['GET', '/tenants/nobody', 404, 'not_found'],
    ['GET', '/routes/demo/nothing', 404, 'not_found'],
    ['GET', '/tariffs/demo/nothing', 404, 'not_found'],
    ['GET', '/tariffs/demo/weather/versions/x', 404, 'not_found'],
    ['GET', '/tenants?cursor=x', 400, 'invalid_request'],
    ['GET', '/routes?cursor=WyJhIl0', 400, 'invalid_request'],
    ['GET', '/tariffs?tenant=%00', 400, 'invalid_request'],
    ['GET', '/tariffs?route=x', 400, 'invalid_request'],
    ['PUT', '/tenants/No%20Id', 404, 'not_found'],
    ['DELETE', '/routes/nobody/thing', 404, 'not_found'],
    ['POST', '/tenants/nobody/upstream-secret', 404, 'not_found'],
  ])('answers %s %s with %i %s', async (method, path, status, code) => {
    const body = method === 'PUT' ? shop.tenant('x.example') : undefined;
    const reply = await admin(app, path, { method, body, headers: { 'idempotency-key': randomUUID() } });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });

  it('is shown to nobody without the key', async () => {
    for (const path of ['/tenants', '/routes', '/tariffs', '/tenants/demo']) {
      expect((await admin({ ...app, adminKey: 'x' }, path)).status).toBe(401);
    }
  });

  it('is bought at the price that was published', async () => {
    const id = shop.fresh();
    await shop.open(id);
    await shop.put(`/routes/${id}/thing`, routeOf('/thing'));
    await eventually(() => ask(shop.call(id, '/thing')));
    const buyer = await newBuyer(app, 1_000_000n);
    expect(await buy(buyer, shop.call(id, '/thing'))).toMatchObject({ status: 200, body: 'sold' });
    expect(offerOf(await send(shop.call(id, '/thing'))).accepts[0].amount).toBe('1000');
  });
});
