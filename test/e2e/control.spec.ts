import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestClient, http, publicActions } from 'viem';
import type { Address } from '../../src/base/shared/hex.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask as askOffer, buy, encode, newBuyer, present, sign } from '../support/payment.js';

interface Page {
  readonly data: readonly Record<string, unknown>[];
  readonly next_cursor?: string;
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const BALANCE = 1_000_000n;
const SETTLE_MS = 20_000;

let app: App;
let payer: string;
/** Ids of what this payer bought, oldest first: two of the weather, one query. */
let bought: string[];

beforeAll(async () => {
  app = await startApp({ env: { LOG_LEVEL: 'trace' } });
  const buyer = await newBuyer(app, BALANCE);
  payer = addressOf(buyer);
  const weather = { url: `${app.gateway}/demo/weather` };
  const headers = { 'content-type': 'application/json' };
  const query = { url: `${app.gateway}/demo/query`, method: 'POST', headers, body: '{"query":"select 1"}' };
  bought = [];
  for (const call of [weather, query, weather]) {
    const { headers: answered, status } = await buy(buyer, call);
    expect(status).toBe(200);
    bought.push(String(answered['tollbook-payment']));
  }
});

afterAll(() => app?.stop());

function ask(path: string, key = app.adminKey): Promise<Reply> {
  return send({ url: app.control + path, headers: { authorization: `Bearer ${key}` } });
}

async function page(path: string): Promise<Page> {
  const { body, headers, status } = await ask(path);
  expect({ status, type: headers['content-type'] }).toMatchObject({ status: 200 });
  return JSON.parse(body) as Page;
}

/** Every row of a list, one row a page. */
async function rowByRow(path: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  let cursor = '';
  do {
    const { data, next_cursor: next } = await page(`${path}&limit=1${cursor}`);
    expect(data).toHaveLength(1);
    rows.push(...data);
    cursor = next === undefined ? '' : `&cursor=${next}`;
  } while (cursor !== '');
  return rows;
}

describe('the control plane', () => {
  it.each(['/admin/v1/payments', '/admin/v1/payments/pay_00000000000000000000000000000000', '/admin/v1/usage'])(
    'answers %s to the admin key only',
    async (path) => {
      const strangers = [await send({ url: app.control + path }), await ask(path, 'wrong'), await ask(path, payer)];
      for (const reply of strangers) {
        expect(reply).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
        expect(codeOf(reply)).toBe('unauthorized');
        expect(reply.body).not.toContain(app.adminKey);
      }
      const headers = { authorization: `Bearer ${app.adminKey}` };
      expect(await send({ url: app.gateway + path, headers })).toMatchObject({ status: 404 });
    },
  );

  it('lists the payments of a payer, newest first, each once', async () => {
    const path = `/admin/v1/payments?payer=${payer}`;
    await eventually(async () => {
      const states = (await page(path)).data.map(({ state }) => state);
      expect(states).toEqual(['settled', 'settled', 'settled']);
      return true;
    }, SETTLE_MS);
    const rows = await rowByRow(path);
    expect(rows.map(({ id }) => id)).toEqual(bought.toReversed());
    expect(rows.map(({ amount, route }) => ({ amount, route }))).toEqual([
      { route: 'weather', amount: '1000' },
      { route: 'query', amount: '700' },
      { route: 'weather', amount: '1000' },
    ]);
    expect((await page(`${path}&route=query&state=settled`)).data).toEqual([rows[1]]);
    expect((await page(`${path}&state=released`)).data).toEqual([]);
    const one = JSON.parse((await ask(`/admin/v1/payments/${bought[1]}`)).body);
    expect(one).toEqual({ ...rows[1], refunds: [], delegations: [] });
  });

  it('adds up usage by route, payer and day', async () => {
    const path = `/admin/v1/usage?payer=${payer}`;
    const wanted = [
      { route: 'query', payer, requests: '1', amount: '700' },
      { route: 'weather', payer, requests: '2', amount: '2000' },
    ];
    await eventually(async () => {
      expect((await page(path)).data).toMatchObject(wanted);
      return true;
    });
    const rows = await rowByRow(path);
    expect(rows).toMatchObject(wanted);
    expect((await page(`${path}&from=${rows[0]!.day}&to=${rows[0]!.day}`)).data).toEqual(rows);
    expect((await page(`${path}&to=2001-01-01`)).data).toEqual([]);
  });

  it.each([
    '/admin/v1/payments?limit=0',
    '/admin/v1/payments?limit=1e9',
    '/admin/v1/payments?state=lost',
    '/admin/v1/payments?cursor=x',
    '/admin/v1/payments?cursor=WyJub3QgYSBudW1iZXIiXQ',
    '/admin/v1/usage?cursor=WyJhIl0',
    '/admin/v1/usage?from=yesterday',
    '/admin/v1/usage?from=0000-01-01',
    '/admin/v1/usage?cursor=WyJhIiwiYiIsImMiLCJkIiwiMDAwMC0wMS0wMSJd',
    '/admin/v1/payments?tenant=%00',
    '/admin/v1/usage?route=%00',
  ])('refuses %s', async (path) => {
    const reply = await ask(path);
    expect(reply.status).toBe(400);
    expect(codeOf(reply)).toBe('invalid_request');
  });

  it('knows no payment that was never made', async () => {
    const reply = await ask('/admin/v1/payments/pay_00000000000000000000000000000000');
    expect(reply.status).toBe(404);
    expect(codeOf(reply)).toBe('not_found');
  });

  it.each([
    ['no id', 'nothing', { as: 'income' }, 404, 'not_found'],
    ['a receipt that nobody found', `84532_0x${'0a'.repeat(32)}_0`, { as: 'income' }, 404, 'not_found'],
    ['something that it cannot be', `84532_0x${'0a'.repeat(32)}_0`, { as: 'revenue' }, 400, 'invalid_request'],
  ])('does not resolve %s', async (_, id, body, status, code) => {
    const reply = await admin(app, `/transfers/${id}/resolve`, { method: 'POST', body });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });

  it('names the place of a fault the same way in its words and its list', async () => {
    const reply = await admin(app, '/tenants/demo/facilitators', { method: 'PUT', body: { facilitators: [{}] } });
    const { detail, errors } = JSON.parse(reply.body) as { detail: string; errors: { pointer: string }[] };
    expect(errors[0]!.pointer).toBe('#/facilitators/0/url');
    expect(detail).toMatch(/^#\/facilitators\/0\/url: /);
  });

  it('shows its health and its metrics without a key', async () => {
    expect(await send({ url: `${app.control}/health/live` })).toMatchObject({ status: 200 });
    expect(await send({ url: `${app.control}/health/ready` })).toMatchObject({ status: 200 });
    const { body } = await send({ url: `${app.control}/metrics` });
    expect(body).toMatch(/^tollbook_settler_gas_wei\{network="eip155:84532",settler="0x[0-9a-f]{40}"\} [1-9]/m);
    expect(body).toMatch(/^tollbook_settler_gas_low\{network="eip155:84532",settler="0x[0-9a-f]{40}"\} 0$/m);
    expect(body).toMatch(/^tollbook_gas_above_cap\{network="eip155:84532",settler="0x[0-9a-f]{40}"\} 0$/m);
    expect(body).toMatch(/^tollbook_payments\{state="settled"\} \d+$/m);
    expect(body).toMatch(/^tollbook_projection_lag_events\{projection="usage"\} \d+$/m);
  });
});

describe('an installation whose settler is out of gas', () => {
  it('takes no requests until it is filled up, and says why', async () => {
    const { body } = await send({ url: `${app.control}/metrics` });
    const settler = /^tollbook_settler_gas_wei\{.*settler="(0x[0-9a-f]{40})"/m.exec(body)![1] as Address;
    const node = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) }).extend(publicActions);
    const value = await node.getBalance({ address: settler });
    const ready = async (url: string) => (await send({ url: `${url}/health/ready` })) as Reply;
    const become = (status: number) =>
      eventually(async () => {
        const replies = await Promise.all([ready(app.gateway), ready(app.control)]);
        return replies.every((reply) => reply.status === status) && replies[0];
      }, SETTLE_MS);
    await node.setBalance({ address: settler, value: 1n });
    try {
      expect(JSON.parse((await become(503)).body)).toMatchObject({ checks: { settlers: `low on gas: ${settler}` } });
    } finally {
      await node.setBalance({ address: settler, value });
    }
    expect(JSON.parse((await become(200)).body)).toMatchObject({ ready: true, checks: { settlers: 'ok' } });
  });
});

describe('the log, with all levels on', () => {
  it('holds neither payments nor keys, queries or bodies', async () => {
    const buyer = await newBuyer(app, BALANCE);
    const headers = { 'content-type': 'application/json' };
    const call = {
      url: `${app.gateway}/demo/query?word=opal`,
      method: 'POST',
      headers,
      body: '{"query":"select jade"}',
    };
    const payment = await sign(buyer, await askOffer(call));
    expect(await present(call, payment)).toMatchObject({ status: 200 });
    const spoilt = { ...payment, payload: { ...payment.payload, signature: 'amber' as const } };
    expect(await present(call, spoilt as unknown as typeof payment)).toMatchObject({ status: 400 });
    await eventually(
      async () => (await page(`/admin/v1/payments?payer=${addressOf(buyer)}&state=settled`)).data.length === 1,
      SETTLE_MS,
    );
    const { signature } = payment.payload;
    for (const secret of ['opal', 'jade', 'amber', signature, signature.slice(2, 60), encode(payment), app.adminKey]) {
      expect(app.output()).not.toContain(secret);
    }
  });
});

describe('npm run agent', () => {
  async function agent(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'edges', 'cli', 'agent.js'), ...args], {
      env: { PATH: process.env.PATH, TOLLBOOK_DATA_DIR: app.dataDir, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await once(child, 'close');
    return { code: child.exitCode, output };
  }

  it('pays every demo route with the official client and prints the table', async () => {
    const { code, output } = await agent(['--calls', '5']);
    expect({ code, output }).toMatchObject({ code: 0 });
    for (const route of ['weather', 'files/report.txt', 'query', 'completions', 'slow']) {
      expect(output).toMatch(new RegExp(`/demo/${route} .*│ +\\$0\\.\\d+ │ +200 │ .*✓ verified`));
    }
    expect(output).toMatch(/5 paid for \$0\.\d+, .*5 receipts verified, 0 failed/);
    const receipt = /last receipt: (\S+)/.exec(output)?.[1];
    expect(await send({ url: receipt! })).toMatchObject({ status: 200 });
  });

  it('pays later from an account of its own, which it opens once', async () => {
    for (const _ of [1, 2]) {
      const { code, output } = await agent(['--calls', '5', '--pay', 'deferred']);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).toMatch(/\/demo\/weather .*│ +\$0\.001 │ +200 │ committed com_/);
      expect(output).toMatch(/5 paid for \$0\.\d+, 5 committed, 0 settled, 0 pending, 0 receipts verified, 0 failed/);
    }
    const accounts = JSON.parse((await admin(app, '/accounts?tenant=demo')).body).data;
    expect(accounts).toHaveLength(1);
    const balance = JSON.parse((await admin(app, `/accounts/demo/${accounts[0].customer}/balance`)).body);
    expect(BigInt(balance.owed)).toBeGreaterThanOrEqual(2_000n);
    expect(BigInt(balance.available)).toBe(5_000_000n - BigInt(balance.owed));
  });

  it.each([
    ['a gateway elsewhere', ['--url', 'https://example.com'], {}],
    ['a number of calls that is none', ['--calls', 'many'], {}],
    ['a way of paying that there is not', ['--pay', 'never'], {}],
    ['nobody to buy from', [], { TOLLBOOK_DATA_DIR: '/nonexistent' }],
  ] as const)('says what is wrong with %s and ends with 2', async (_what, args, env) => {
    const { code, output } = await agent(args, env);
    expect(code).toBe(2);
    expect(output).not.toContain('file://');
  });
});
