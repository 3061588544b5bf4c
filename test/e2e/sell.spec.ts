import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { send } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { run } from '../support/run.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PAYEE = '0x7011b00c000000000000000000000000000000bb';

let app: App;
let upstream: CountingUpstream;
let pool: pg.Pool;
/** Status that the upstream answers. */
let status = 200;

beforeAll(async () => {
  upstream = await countingUpstream((_request, reply) => {
    reply.statusCode = status;
    reply.end('found');
  });
  app = await startApp();
  pool = new pg.Pool({ connectionString: app.engines.postgres, max: 2 });
});

beforeEach(() => {
  status = 200;
});

afterAll(async () => {
  await pool?.end();
  await app?.stop();
  await upstream?.stop();
});

function sell(args: readonly string[], env: Record<string, string> = {}) {
  const file = join(ROOT, 'dist', 'edges', 'cli', 'sell.js');
  return run(process.execPath, [file, ...args], { env: { TOLLBOOK_DATA_DIR: app.dataDir, ...env } });
}

function sale(...more: readonly string[]): string[] {
  return ['--upstream', upstream.url, '--path', '/v1/search', '--price', '0.002', ...more];
}

async function amountsOf(tenant: string): Promise<string[]> {
  const { rows } = await pool.query<{ amount: string }>(
    `select data->'terms'->>'amount' as amount from events
     where tenant = $1 and type = 'PaymentAuthorized' order by position`,
    [tenant],
  );
  return rows.map(({ amount }) => amount);
}

describe('npm run sell', () => {
  it('puts a price on an API, buys it once, and changes the price when asked again', async () => {
    const before = upstream.runs();
    const { code, output } = await sell(sale());
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/asks for 0\.002 USDC/);
    expect(output).toContain('402 Payment Required');
    expect(output).toMatch(/The official client paid 0\.002 USDC and got 200/);
    // Once to see whether it is there, once for the money.
    expect(upstream.runs()).toBe(before + 2);
    expect(await amountsOf('my-api')).toEqual(['2000']);
    const keyFile = join(app.dataDir, 'payee-my-api.json');
    expect(output).toContain(keyFile);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const { address, privateKey } = JSON.parse(readFileSync(keyFile, 'utf8'));
    expect(output.toLowerCase()).toContain(address.toLowerCase());
    expect(output).not.toContain(privateKey);
    expect(JSON.parse((await admin(app, '/tenants/my-api')).body)).toMatchObject({ payee: address.toLowerCase() });

    const dearer = await sell(['--upstream', `${upstream.url}/`, '--path', '/v1/search', '--price', '0.0030']);
    expect({ code: dearer.code, output: dearer.output }).toMatchObject({ code: 0 });
    expect(await amountsOf('my-api')).toEqual(['2000', '3000']);
  });

  it('sells posts and paths with parameters, to an account that was named', async () => {
    const post = ['--upstream', upstream.url, '--path', '/items/:id', '--price', '0.01', '--method', 'post'];
    const { code, output } = await sell([...post, '--tenant', 'items', '--payee', PAYEE]);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain(`The money goes to ${PAYEE}`);
    expect(await amountsOf('items')).toEqual(['10000']);
  });

  it('says how programs reach a name under localhost, and sells by an address that all of them find', async () => {
    const named = await sell(sale('--tenant', 'named'));
    expect(named.output).toContain(`curl -i -X GET ${app.gateway}/v1/search -H 'Host: named.localhost'`);
    const asTold = await send({ url: `${app.gateway}/v1/search`, headers: { host: 'named.localhost' } });
    expect(asTold.status).toBe(402);
    const { code, output } = await sell(sale('--tenant', 'found', '--host', '127.0.0.1'));
    expect({ code, output }).toMatchObject({ code: 0, output: expect.not.stringContaining('Host:') });
    const url = `http://127.0.0.1:${new URL(app.gateway).port}/v1/search`;
    expect(output).toContain(`GET ${url} asks for`);
    expect((await fetch(url)).status).toBe(402);
  });

  it('tells of a test payment that did not work', async () => {
    status = 404;
    const { code, output } = await sell(sale('--tenant', 'lost'));
    expect(code).toBe(1);
    expect(output).toContain('The test payment did not work');
  });

  it.each([
    ['flags that are missing', () => ['--path', '/x'], 'Say --upstream, --price'],
    ['a flag that is none', () => sale('--colour', 'red'), '--colour'],
    ['an upstream that is none', () => ['--upstream', 'ftp://x', '--path', '/x', '--price', '1'], 'such as http://'],
    [
      'an upstream with a path',
      () => ['--upstream', 'http://127.0.0.1:1/v1', '--path', '/x', '--price', '1'],
      '--path /v1',
    ],
    ['a price that is none', () => [...sale().slice(0, 4), '--price', '1e-3'], 'a number such as 0.002'],
    ['a price too small', () => [...sale().slice(0, 4), '--price', '0.0000001'], 'the smallest price is 0.000001'],
    ['no price', () => [...sale().slice(0, 4), '--price', '0'], 'the smallest price is 0.000001'],
    [
      'a network that is not this machine',
      () => ['--upstream', 'http://10.1.2.3', '--path', '/x', '--price', '1'],
      '--allow-private',
    ],
    [
      'a host that there is not',
      () => ['--upstream', 'http://nowhere.invalid', '--path', '/x', '--price', '1'],
      'There is no host',
    ],
    [
      'a host that is taken',
      () => sale('--tenant', 'rival', '--host', 'my-api.localhost'),
      'Another tenant has the host',
    ],
    ['a tenant that sells something else', () => sale('--tenant', 'demo'), 'choose another --tenant'],
    [
      'a path that the gateway answers itself',
      () => ['--upstream', upstream.url, '--path', '/health/x', '--price', '1', '--tenant', 'own'],
      '#/pattern',
    ],
    ['a payee that is no address', () => sale('--payee', '0x12'), '--payee is an address'],
  ])('says what is wrong with %s, and ends with 2', async (_what, args, words) => {
    const { code, output } = await sell(args());
    expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining(words) });
    expect(output).not.toContain('file://');
  });

  it('says that the API does not answer, or fails', async () => {
    const gone = [
      '--upstream',
      `http://127.0.0.1:${await freePort()}`,
      '--path',
      '/x',
      '--price',
      '1',
      '--tenant',
      'gone',
    ];
    expect(await sell(gone)).toMatchObject({ code: 2, output: expect.stringContaining('does not answer at') });
    status = 503;
    const failing = await sell(sale('--tenant', 'failing'));
    expect(failing).toMatchObject({ code: 2, output: expect.stringContaining('answers 503') });
    expect((await admin(app, '/tenants/failing')).status).toBe(404);
  });

  it('says that no Tollbook runs, also if one left its endpoints behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollbook-none-'));
    const env = { TOLLBOOK_DATA_DIR: folder };
    expect(await sell(sale(), env)).toMatchObject({ code: 2, output: expect.stringContaining('npm start') });
    const dead = `http://127.0.0.1:${await freePort()}`;
    writeFileSync(
      join(folder, 'endpoints.json'),
      JSON.stringify({ gateway: dead, control: dead, chain: dead, adminKey: 'x' }),
    );
    expect(await sell(sale(), env)).toMatchObject({ code: 2, output: expect.stringContaining('npm start') });
    rmSync(folder, { recursive: true });
  });
});
