import { createHash, createPrivateKey, sign } from 'node:crypto';
import { createSignatureSync } from 'http-message-sig';
import pg from 'pg';
import { RevokeSigningKey, SuspendAccount } from '../../src/domains/customers/account.decide.js';
import { creditKey } from '../../src/domains/limits/credit.js';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import type { TariffRules } from '../../src/domains/pricing/tariff.schemas.js';
import { type App, startApp } from '../support/app.js';
import { acceptsOf, answered, commitTo, type Holder, openAccount, reasonOf, schemesOf } from '../support/committing.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, send } from '../support/http.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const HOST = 'later.example';
const LINE = 1_000_000n;

let app: App;
let other: App;
let upstream: CountingUpstream;
let pool: pg.Pool;
let holder: Holder;
/** How the provider answers. */
let status = 200;
let delayMs = 0;
let units: string | undefined;

/** 100 for each unit that the response says was used, 10 at most. */
const counted = (quantity: object) =>
  ({ charges: [{ model: 'per_unit', amount: '100', per: 1, quantity: { maximum: 10, ...quantity } }] }) as TariffRules;
const byHeader = counted({ source: 'response_field', field: { in: 'header', name: 'x-units' } });
const byRows = counted({ source: 'response_items', pointer: '/rows' });

beforeAll(async () => {
  upstream = await countingUpstream((message, reply) => {
    const run = Math.random().toString(36);
    setTimeout(() => {
      if (units !== undefined) reply.setHeader('x-units', units);
      reply.statusCode = status;
      const { 'tollbook-amount': amount, 'tollbook-payer': payer } = message.headers;
      const body = JSON.stringify({ run, amount, payer, rows: [1, 2, 3] });
      if (message.url !== '/streamed') return reply.end(body);
      // No length is declared.
      reply.write(body.slice(0, 10));
      setTimeout(() => reply.end(body.slice(10)), 20);
    }, delayMs);
  });
  app = await startApp();
  other = await startSibling(app, 'gateway');
  pool = new pg.Pool({ connectionString: app.engines.postgres, max: 2 });
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'later', host: HOST, upstream: upstream.url })),
    new RegisterTenant(tenantWith({ id: 'never', host: 'never.example', upstream: upstream.url })),
    new PublishTariff('later', 'flat', flat('1000')),
    new PublishTariff('never', 'flat', flat('1000')),
    new PublishTariff('later', 'header', byHeader),
    new PublishTariff('later', 'rows', byRows),
    new PublishRoute(routeWith({ id: 'thing', tenant: 'never' })),
    ...['thing', 'thing2'].map((id) => {
      return new PublishRoute(routeWith({ id, tenant: 'later', methods: ['GET', 'POST'] }));
    }),
    new PublishRoute(routeWith({ id: 'measured', tenant: 'later', tariff: 'header' })),
    new PublishRoute(routeWith({ id: 'streamed', tenant: 'later', tariff: 'rows' })),
  ]);
  holder = await openAccount(app, 'later', LINE);
  for (const gateway of [app, other]) await known(gateway);
});

afterAll(async () => {
  await pool?.end();
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

beforeEach(() => {
  [status, delayMs, units] = [200, 0, undefined];
});

function call(path = '/thing', change: Partial<Call> = {}, { gateway } = app): Call {
  return { url: gateway + path, headers: { host: HOST }, ...change };
}

const at = (gateway: App, { url, ...rest }: Call): Call => ({
  ...rest,
  url: url.replace(app.gateway, gateway.gateway),
});

async function known(gateway: App): Promise<void> {
  await eventually(async () => acceptsOf(await send(call('/thing', {}, gateway))).length === 2);
}

/** What an account owes by its hold. */
async function owed({ customer }: Holder, tenant = 'later'): Promise<bigint> {
  const { rows } = await pool.query('select held from hold_totals where key = $1', [creditKey(tenant, customer)]);
  return BigInt(rows[0]?.held ?? 0);
}

async function eventsOf(id: string): Promise<readonly { type: string; data: Record<string, unknown> }[]> {
  const { rows } = await pool.query('select type, data from events where stream = $1 order by version', [
    `commitment/${id}`,
  ]);
  return rows;
}

async function stateOf(id: string): Promise<string | undefined> {
  const { rows } = await pool.query('select state from commitments where id = $1', [id]);
  return rows[0]?.state;
}

describe('a request that is signed for and paid later', () => {
  it('is offered behind the instant payment, by tenants with an account alone', async () => {
    const offer = await send(call());
    expect(schemesOf(offer)).toEqual(['exact', 'batch-settlement']);
    const [exact, later] = acceptsOf(offer);
    expect(later).toMatchObject({ amount: '1000', asset: 'USD', extra: { decimals: 6, quote: exact!.extra.quote } });
    const elsewhere = await send(call('/thing', { headers: { host: 'never.example' } }));
    expect(schemesOf(elsewhere)).toEqual(['exact']);
    const topUp = await send(call(`/-/accounts/${holder.customer}/top-up?amount=1000`));
    expect(schemesOf(topUp)).toEqual(['exact']);
  });

  it('runs, is owed, and leaves its evidence', async () => {
    const before = await owed(holder);
    const presented = await commitTo(holder, call('/thing?a=1', { method: 'POST', body: 'select 1' }));
    const reply = await send(presented);
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toMatchObject({ amount: '1000', payer: holder.customer });
    const { transaction, ...said } = answered(reply);
    expect(said).toMatchObject({
      ...{ success: true, payer: holder.customer, amount: '1000' },
      extra: { commitmentId: transaction, charged: '1000', held: '1000' },
    });
    expect(await owed(holder)).toBe(before + 1000n);
    const [accepted, delivered] = await eventsOf(transaction!);
    expect(accepted).toMatchObject({ data: { customer: holder.customer, key: holder.keyId, amount: '1000' } });
    expect(delivered).toMatchObject({ type: 'CommitmentDelivered', data: { charged: '1000', released: [] } });
    const { rows } = await pool.query('select base, signature from commitment_evidence where id = $1', [transaction]);
    const key = createPrivateKey({ key: holder.key as never, format: 'jwk' });
    expect(sign(null, rows[0].base, key).equals(rows[0].signature)).toBe(true);
    expect(createHash('sha256').update(rows[0].base).digest('base64url')).toBe(accepted!.data.signed);
    expect(rows[0].base).toMatch(
      /"@path": \/thing\n"@query": \?a=1\n"payment-signature": .*\n"content-digest": sha-256=/,
    );
    await eventually(async () => (await stateOf(transaction!)) === 'delivered');
  });

  it.each([
    ['what the upstream says it used', '3', '300'],
    ['the maximum if it says nothing', undefined, '1000'],
    ['the maximum if it says more', '11', '1000'],
    ['nothing if it used nothing', '0', '0'],
  ])('is charged %s', async (_what, said, charged) => {
    units = said;
    const before = await owed(holder);
    const reply = await send(await commitTo(holder, call('/measured')));
    expect(answered(reply)).toMatchObject({ amount: charged, extra: { charged, held: '1000' } });
    expect(await owed(holder)).toBe(before + BigInt(charged));
  });

  it('is charged by the body of a stream, once that is known', async () => {
    const before = await owed(holder);
    const reply = await send(await commitTo(holder, call('/streamed')));
    expect(answered(reply)).toMatchObject({ amount: '1000', extra: { state: 'pending', held: '1000' } });
    expect(await owed(holder)).toBe(before + 300n);
    const used = 'select sum(amount)::text as sum from usage_days where payer = $1';
    await eventually(async () => (await pool.query(used, [holder.customer])).rows[0].sum === `${before + 300n}`);
  });

  it.each([
    [500, 'upstream_error'],
    [404, 'not_charged'],
  ])('is not owed when the upstream answers %d', async (code, reason) => {
    status = code;
    const before = await owed(holder);
    const reply = await send(await commitTo(holder, call()));
    expect([reply.status, answered(reply).amount]).toEqual([code, '0']);
    expect(await owed(holder)).toBe(before);
    expect((await eventsOf(answered(reply).transaction!))[1]).toMatchObject({ data: { reason } });
  });
});

describe('what is presented again', () => {
  it('gets the same answer, whichever gateway it reaches, and runs once', async () => {
    const [runs, before] = [upstream.runs(), await owed(holder)];
    const presented = await commitTo(holder, call('/thing', { method: 'POST', body: 'once' }));
    delayMs = 200;
    const replies = await Promise.all([presented, at(other, presented), presented].map(send));
    replies.push(await send(at(other, presented)));
    expect(new Set(replies.map(({ body, status: code }) => `${code} ${body}`)).size).toBe(1);
    expect(replies[0]!.status).toBe(200);
    expect(new Set(replies.map((reply) => reply.headers['payment-response'])).size).toBe(1);
    expect([upstream.runs() - runs, await owed(holder)]).toEqual([1, before + 1000n]);
  });

  it('buys no other path, query, method, body or host', async () => {
    const runs = upstream.runs();
    const presented = await commitTo(holder, call('/thing?a=1', { method: 'POST', body: 'first' }));
    const changed: Call[] = [
      { ...presented, url: `${app.gateway}/thing2?a=1` },
      { ...presented, url: `${app.gateway}/thing?a=2` },
      { ...presented, url: `${app.gateway}/thing` },
      { ...presented, headers: { ...presented.headers, host: 'LATER.example:80' } },
    ];
    for (const one of changed) expect(reasonOf(await send(one))).toBe('commitment_signature_invalid');
    expect(codeOf(await send({ ...presented, body: 'second' }))).toBe('content_digest_mismatch');
    const got = await commitTo(holder, call('/thing'));
    expect(reasonOf(await send({ ...got, method: 'POST' }))).toBe('commitment_signature_invalid');
    expect(upstream.runs()).toBe(runs);
  });

  it('is refused if another request was signed with the same nonce', async () => {
    const first = await commitTo(holder, call('/thing'));
    expect((await send(first)).status).toBe(200);
    const nonce = /nonce="([^"]+)"/.exec(first.headers['signature-input']!)![1]!;
    const key = createPrivateKey({ key: holder.key as never, format: 'jwk' });
    const payment = (await commitTo(holder, call('/thing2'))).headers['payment-signature']!;
    const created = Math.floor(Date.now() / 1000);
    const { signature, signatureInput } = createSignatureSync(
      {
        ...{ kind: 'request', method: 'GET', targetUri: `http://${HOST}/thing2` },
        fields: [{ name: 'payment-signature', value: payment }],
      },
      {
        components: ['@method', '@authority', '@path', '@query', 'payment-signature'],
        parameters: { created, expires: created + 30, nonce, keyid: holder.keyId, tag: 'tollbook-commitment' },
        signer: { algorithm: 'ed25519', sign: (data) => sign(null, data, key) },
      },
    );
    const headers = { host: HOST, 'payment-signature': payment, signature, 'signature-input': signatureInput };
    expect(codeOf(await send({ url: `${app.gateway}/thing2`, headers }))).toBe('commitment_nonce_reused');
  });
});

describe('who may not pay later', () => {
  it('is told why: an old signature, the key of nobody, somebody else’s account', async () => {
    const runs = upstream.runs();
    const now = Date.now();
    const stranger = await openAccount(app, 'never', LINE);
    const presented = await Promise.all([
      commitTo(holder, call(), { now: now - 31_000 }),
      commitTo(holder, call(), { now: now + 60_000 }),
      commitTo(stranger, call()),
      commitTo(holder, call(), { customer: stranger.customer }),
      commitTo({ ...stranger, keyId: holder.keyId, customer: holder.customer }, call()),
    ]);
    const reasons = [];
    for (const one of presented) reasons.push(reasonOf(await send(one)));
    expect(reasons).toEqual([
      'commitment_expired',
      'commitment_not_yet_valid',
      ...Array(3).fill('commitment_signature_invalid'),
    ]);
    expect(upstream.runs()).toBe(runs);
  });

  it('is offered instant payment alone when the line is used up, to the last unit, at both gateways at once', async () => {
    const poor = await openAccount(app, 'later', 10_500n);
    for (const gateway of [app, other]) {
      await eventually(async () => (await send(await commitTo(poor, call('/measured', {}, gateway)))).status === 200);
    }
    const before = await owed(poor);
    const runs = upstream.runs();
    const presented = await Promise.all(Array.from({ length: 24 }, () => commitTo(poor, call())));
    const replies = await Promise.all(presented.map((one, n) => send(n % 2 === 0 ? one : at(other, one))));
    const served = replies.filter((reply) => reply.status === 200).length;
    expect(BigInt(served)).toBe((10_500n - before) / 1000n);
    for (const reply of replies.filter((one) => one.status !== 200)) {
      expect([reasonOf(reply), schemesOf(reply)]).toEqual(['credit_line_reached', ['exact']]);
    }
    expect(await owed(poor)).toBe(before + BigInt(served) * 1000n);
    expect(upstream.runs()).toBe(runs + served);
  });

  it('is an account from its suspension’s answer on, and a key from its revocation’s', async () => {
    const [late, leaked] = [await openAccount(app, 'later', LINE), await openAccount(app, 'later', LINE)];
    for (const gateway of [app, other]) {
      for (const one of [late, leaked]) {
        await eventually(async () => (await send(await commitTo(one, call('/thing', {}, gateway)))).status === 200);
      }
    }
    const presented = await Promise.all(
      [late, leaked].flatMap((one) => [commitTo(one, call()), commitTo(one, call())]),
    );
    await publish(app.engines.postgres, [
      new SuspendAccount('later', late.customer, 'overdue'),
      new RevokeSigningKey('later', leaked.customer, leaked.keyId),
    ]);
    const replies = await Promise.all(presented.map((one, n) => send(n % 2 === 0 ? one : at(other, one))));
    expect(replies.map((reply) => [reasonOf(reply), schemesOf(reply).length])).toEqual([
      ['account_suspended', 1],
      ['account_suspended', 1],
      ['commitment_signature_invalid', 2],
      ['commitment_signature_invalid', 2],
    ]);
  });
});
