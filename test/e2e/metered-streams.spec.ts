import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { creditKey } from '../../src/domains/limits/credit.js';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import type { TariffRules } from '../../src/domains/pricing/tariff.schemas.js';
import { type App, startApp } from '../support/app.js';
import { acceptsOf, answered, commitTo, type Holder, openAccount } from '../support/committing.js';
import { eventually } from '../support/eventually.js';
import { type Call, open, send } from '../support/http.js';
import { publish, routeWith, tenantWith } from '../support/publishing.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const HOST = 'streams.example';
const LINE = 1_000_000n;
/** Of a metered stream, at 100 a token. */
const MAXIMUM = 10;

let app: App;
let upstream: CountingUpstream;
let pool: pg.Pool;
let holder: Holder;
/** Events that went out at the provider, and whether it was told to stop. */
let sent = 0;
let stopped = false;

const perToken = (quantity: object) =>
  ({
    charges: [{ model: 'per_unit', amount: '100', per: 1, quantity: { maximum: MAXIMUM, ...quantity } }],
  }) as TariffRules;

beforeAll(async () => {
  upstream = await countingUpstream(async (message, reply) => {
    const { pathname, searchParams } = new URL(message.url!, 'http://upstream.example');
    const sse = pathname === '/sse';
    [sent, stopped] = [0, false];
    reply.once('close', () => {
      stopped = !reply.writableFinished;
    });
    reply.writeHead(200, {
      'content-type': sse ? 'text/event-stream' : 'application/x-ndjson',
      ...(pathname === '/trailer' && { trailer: 'X-Tokens' }),
    });
    for (let n = 0; n < Number(searchParams.get('events')) && !reply.destroyed; n++) {
      const data = JSON.stringify({ n, tokens: 3 });
      reply.write(sse ? `data: ${data}\n\n` : `${data}\n`);
      sent += 1;
      await delay(5);
    }
    reply.addTrailers({ 'X-Tokens': '4' });
    reply.end(sse ? 'data: [DONE]\n\n' : '');
  });
  app = await startApp();
  pool = new pg.Pool({ connectionString: app.engines.postgres, max: 2 });
  const counted = perToken({ source: 'response_events', pointer: '/tokens' });
  const trailer = perToken({ source: 'response_field', field: { in: 'trailer', name: 'x-tokens' } });
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'streams', host: HOST, upstream: upstream.url })),
    new PublishTariff('streams', 'counted', counted),
    new PublishTariff('streams', 'trailer', trailer),
    ...['sse', 'lines'].map((id) => new PublishRoute(routeWith({ id, tenant: 'streams', tariff: 'counted' }))),
    new PublishRoute(routeWith({ id: 'trailer', tenant: 'streams', tariff: 'trailer' })),
  ]);
  holder = await openAccount(app, 'streams', LINE);
  await eventually(async () => acceptsOf(await send(call('/sse?events=1'))).length === 2);
});

afterAll(async () => {
  await pool?.end();
  await app?.stop();
  await upstream?.stop();
});

function call(path: string): Call {
  return { url: app.gateway + path, headers: { host: HOST } };
}

async function owed(): Promise<bigint> {
  const { rows } = await pool.query('select held from hold_totals where key = $1', [
    creditKey('streams', holder.customer),
  ]);
  return BigInt(rows[0]?.held ?? 0);
}

/** A committed stream, read to its end, and what its trailer says of the charge. */
async function stream(path: string) {
  const message = await open(await commitTo(holder, call(path)));
  let body = '';
  for await (const piece of message.setEncoding('utf8')) body += piece;
  const { 'payment-response': charged } = message.trailers;
  return {
    status: message.statusCode,
    body,
    end: answered({ status: 200, headers: { 'payment-response': charged }, body }),
  };
}

describe.each(['/sse', '/lines'])('a stream of %s that is paid later', (path) => {
  it('costs what it came to, which its trailer says', async () => {
    const before = await owed();
    const { body, end, status } = await stream(`${path}?events=2`);
    expect([status, body.match(/tokens/g)?.length]).toEqual([200, 2]);
    expect(end).toMatchObject({ amount: '600', extra: { charged: '600', held: '1000' } });
    expect(await owed()).toBe(before + 600n);
  });

  it('is cut off when what is held is used up, and the provider is told to stop', async () => {
    const before = await owed();
    const { body, end, status } = await stream(`${path}?events=2000`);
    expect([status, body.match(/tokens/g)?.length]).toEqual([200, 3]);
    expect(body).not.toContain('DONE');
    expect(end).toMatchObject({ amount: '900', extra: { held: '1000' } });
    expect(await owed()).toBe(before + 900n);
    await eventually(() => stopped);
    expect(sent).toBeLessThan(2000);
  });

  it('gives the same part to a repeat, for no more', async () => {
    const presented = await commitTo(holder, call(`${path}?events=50`));
    const first = await send(presented);
    const [before, runs] = [await owed(), upstream.runs()];
    const again = await send(presented);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(answered(again)).toMatchObject({ amount: '900' });
    expect([await owed(), upstream.runs()]).toEqual([before, runs]);
  });
});

it('charges what a trailer states', async () => {
  const before = await owed();
  const { body, end } = await stream('/trailer?events=5');
  expect(body.match(/tokens/g)).toHaveLength(5);
  expect(end).toMatchObject({ amount: '400', extra: { held: '1000' } });
  expect(await owed()).toBe(before + 400n);
});
