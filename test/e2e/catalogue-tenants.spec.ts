import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type AdminCall, admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf } from '../support/http.js';
import { ask } from '../support/payment.js';
import { routeOf, Shop } from '../support/shop.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

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

describe('a tenant', () => {
  it('is registered, shown, listed and replaced, and sells a moment later', async () => {
    const id = shop.fresh();
    const { upstreamSecret, ...created } = await shop.open(id);
    expect(upstreamSecret).toMatch(/^[\w-]{43}$/);
    expect(created).toMatchObject({ id, host: `${id}.example`, payee: expect.stringMatching(/^0x7011b00c/) });
    const shown = await admin(app, `/tenants/${id}`);
    expect(shown.headers.etag).toBe('"1"');
    expect(JSON.parse(shown.body)).toEqual(created);
    expect(shown.body).not.toContain(upstreamSecret);
    expect(await shop.json(`/tenants?host=${id}.example`)).toEqual({ data: [created] });
    expect((await shop.put(`/routes/${id}/thing`, routeOf('/thing'))).status).toBe(201);
    const offer = await eventually(() => ask(shop.call(id, '/thing')));
    expect(offer.accepts[0]).toMatchObject({ amount: '1000' });
    const again = await shop.put(`/tenants/${id}`, { ...created, host: `${id}.example` });
    expect([again.status, JSON.parse(again.body)]).toEqual([200, created]);
    const moved = await shop.put(
      `/tenants/${id}`,
      { ...created, upstream: 'https://api.example.com' },
      { 'if-match': '"1"' },
    );
    expect([moved.status, moved.headers.etag]).toEqual([200, '"2"']);
    expect(JSON.parse(moved.body)).not.toHaveProperty('upstreamSecret');
    expect(await shop.json(`/tenants/${id}`)).toEqual({ ...created, upstream: 'https://api.example.com' });
  });

  it('is not overwritten by who has not seen it, nor twice by who has', async () => {
    const id = shop.fresh();
    const created = await shop.open(id);
    const { upstreamSecret: _, ...body } = created;
    const blind = await shop.put(`/tenants/${id}`, { ...body, upstream: 'https://a.example.com' });
    expect([blind.status, codeOf(blind)]).toEqual([428, 'precondition_required']);
    const replies = await Promise.all(
      ['b', 'c', 'd', 'e'].map((name, index) =>
        shop.put(
          `/tenants/${id}`,
          { ...body, upstream: `https://${name}.example.com` },
          { 'if-match': '"1"' },
          index < 2 ? app : second,
        ),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    const late = await shop.put(
      `/tenants/${id}`,
      { ...body, upstream: 'https://f.example.com' },
      { 'if-none-match': '*' },
    );
    expect(codeOf(late)).toBe('precondition_failed');
  });

  it('tells its secret in the answer that made it, to the same key again, and nowhere else', async () => {
    const id = shop.fresh();
    const headers = { 'idempotency-key': randomUUID() };
    const first = await shop.put(`/tenants/${id}`, shop.tenant(`${id}.example`), headers);
    const again = await shop.put(`/tenants/${id}`, shop.tenant(`${id}.example`), headers);
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotent-replayed': 'true' } });
    const { upstreamSecret: old } = JSON.parse(first.body);
    const rotate: AdminCall = { method: 'POST', headers: { 'idempotency-key': randomUUID() } };
    const rotated = await admin(app, `/tenants/${id}/upstream-secret`, rotate);
    const { upstreamSecret, upstreamSecretFingerprint } = JSON.parse(rotated.body);
    expect([rotated.status, rotated.headers.etag]).toEqual([201, '"2"']);
    expect(upstreamSecret).not.toBe(old);
    expect(await admin(second, `/tenants/${id}/upstream-secret`, rotate)).toMatchObject({ body: rotated.body });
    expect((await shop.json(`/tenants/${id}`)).upstreamSecretFingerprint).toBe(upstreamSecretFingerprint);
    const { rows } = await pool.query('select upstream_secret as secret from tenants where id = $1', [id]);
    expect(rows).toEqual([{ secret: upstreamSecret }]);
    const { rows: events } = await pool.query<{ text: string }>('select e::text as text from events e');
    expect(events.some(({ text }) => text.includes(upstreamSecret) || text.includes(old))).toBe(false);
    const keyless = await admin(app, `/tenants/${id}/upstream-secret`, { method: 'POST' });
    expect([keyless.status, codeOf(keyless)]).toEqual([400, 'idempotency_key_required']);
  });

  it('has a host of its own, whoever comes first', async () => {
    const [left, right] = [shop.fresh(), shop.fresh()];
    const replies = await Promise.all(
      [left, right].map((id, index) =>
        shop.put(`/tenants/${id}`, shop.tenant('one.example'), {}, index === 0 ? app : second),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409]);
    const refused = replies.find(({ status }) => status === 409)!;
    expect(codeOf(refused)).toBe('host_taken');
    expect(JSON.parse(refused.body).errors).toEqual([{ pointer: '#/host', detail: 'is the host of another tenant' }]);
  });

  it.each([
    ['a private upstream without permission', { allowPrivateUpstream: false }, ['#/upstream']],
    [
      'an upstream by the name of this machine',
      { upstream: 'http://localhost:1', allowPrivateUpstream: false },
      ['#/upstream'],
    ],
    ['an upstream with a path', { upstream: 'https://api.example.com/v1' }, ['#/upstream']],
    ['an asset that is no token', { asset: `0x${'12'.repeat(20)}` }, ['#/asset']],
    ['nobody to be paid', { payee: `0x${'00'.repeat(20)}` }, ['#/payee']],
    ['several faults', { payee: '0x12', host: 'A B', secret: 'x' }, ['#/host', '#/payee', '#/secret']],
  ])('is refused with %s', async (_what, change, pointers) => {
    const reply = await shop.put(`/tenants/${shop.fresh()}`, shop.tenant('refused.example', change));
    expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
    const { errors } = JSON.parse(reply.body) as { errors: { pointer: string; detail: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(pointers);
    expect(errors.every(({ detail }) => detail.length > 0)).toBe(true);
  });

  it('is refused with a chain that is not served here, by the names of those that are', async () => {
    const elsewhere = shop.tenant('refused.example', { network: 'eip155:1' });
    const reply = await shop.put(`/tenants/${shop.fresh()}`, elsewhere);
    expect([reply.status, codeOf(reply)]).toEqual([422, 'network_not_served']);
    expect(JSON.parse(reply.body).errors).toEqual([
      { pointer: '#/network', detail: expect.stringContaining('eip155:84532') },
    ]);
  });
});
