import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { codeOf, send } from '../support/http.js';
import { Shop } from '../support/shop.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PAYER = `0x${'1f'.repeat(20)}`;
const dist = (...path: string[]) => [join(ROOT, 'dist', ...path)];

describe('what many clients do', () => {
  let app: App;
  let shop: Shop;

  beforeAll(async () => {
    app = await startApp();
    shop = new Shop(app, 'http://127.0.0.1:9');
  });

  afterAll(() => app?.stop());

  it.each<Record<string, string>>([{}, { 'content-length': '0' }])(
    'a DELETE may name JSON and send nothing, with %j',
    async (length) => {
      const id = shop.fresh();
      await shop.open(id);
      const path = `/customers/${id}/${PAYER}/allowance`;
      expect(await shop.put(path, { counts: 'requests', limit: '5', period: 'day' })).toMatchObject({ status: 201 });
      const headers = { 'content-type': 'application/json', ...length };
      expect(await admin(app, path, { method: 'DELETE', headers })).toMatchObject({ status: 204, body: '' });
      expect((await admin(app, path)).status).toBe(404);
    },
  );

  it('a POST that needs no body may name JSON too', async () => {
    const id = shop.fresh();
    await shop.open(id);
    const headers = { 'content-type': 'application/json', 'content-length': '0', 'idempotency-key': id };
    const reply = await admin(app, `/customers/${id}/${PAYER}/keys`, { method: 'POST', headers });
    expect([reply.status, JSON.parse(reply.body).key]).toEqual([201, expect.stringMatching(/^tbk_/)]);
  });

  it.each(['', '{', '{"__proto__": {}}'])('a PUT needs a body: %j is refused', async (body) => {
    const reply = await shop.put('/tenants/nobody', body, { 'content-length': String(body.length) });
    expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['/discovery/resources', 'lists no resources yet'],
    ['/discovery', 'lists no resources yet'],
    ['/facilitator/verify', 'Cannot GET /facilitator/verify'],
    ['/receipts', 'Cannot GET /receipts'],
  ])('%s on the gateway is 404, and says why', async (path, words) => {
    const reply = await send({ url: app.gateway + path });
    expect([reply.status, codeOf(reply)]).toEqual([404, 'not_found']);
    expect(JSON.parse(reply.body).detail).toContain(words);
  });
});

describe('a text that cannot be stored', () => {
  let app: App;
  let shop: Shop;

  beforeAll(async () => {
    app = await startApp();
    shop = new Shop(app, 'http://127.0.0.1:9');
  });

  afterAll(() => app?.stop());

  const NUL = '\u0000';
  const HALF = '\ud800';
  const when = (value: string) => ({ is: 'equals', field: { in: 'header', name: 'x-size' }, value });
  const rules = (value: string) => ({ charges: [{ model: 'flat', amount: '1', when: when(value) }], minimum: '1' });

  it.each([NUL, HALF])('is refused wherever it stands: %j', async (text) => {
    const id = shop.fresh();
    await shop.open(id);
    const bodies: [string, object][] = [
      [`/tariffs/${id}/flat`, { rules: rules(`big${text}`) }],
      [`/tariffs/${id}/flat`, { rules: rules('big'), [text]: 1 }],
      [`/tenants/${id}`, shop.tenant(`${id}.example`, { upstreamSecret: `${'s'.repeat(40)}${text}` })],
    ];
    for (const [path, body] of bodies) {
      const reply = await shop.put(path, body);
      expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
    }
    expect(await shop.put(`/tariffs/${id}/flat`, { rules: rules('🐘 \\u0000 \\ud800') })).toMatchObject({
      status: 200,
    });
  });
});

describe('--help', () => {
  it.each([
    ['agent', dist('edges', 'cli', 'agent.js')],
    ['sell', dist('edges', 'cli', 'sell.js')],
    ['verify', dist('verify.js')],
    ['rebuild', dist('rebuild.js')],
    ['bench', ['--import', 'tsx', join(ROOT, 'test', 'bench', 'main.ts')]],
    ['soak', [join(ROOT, 'bin', 'soak.mjs')]],
    ['start', [join(ROOT, 'bin', 'tollbook.mjs'), 'start']],
  ])('of %s says how it is used, and that is no mistake', (name, command) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [...command, '--help'], {
      encoding: 'utf8',
      cwd: ROOT,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(name === 'start' ? /^Usage: tollbook <command>/ : new RegExp(`^Usage: npm run ${name} `));
  });
});
