import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { send } from '../support/http.js';
import { ask, buy, newBuyer } from '../support/payment.js';
import { run } from '../support/run.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';
import { type EarlierBook, openEarlierBook } from './earlier-book.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const ENDED_MS = 30_000;

let book: EarlierBook;
let pool: pg.Pool;
let upstream: CountingUpstream;
/** Two processes of the new version, started at the same time. */
let apps: readonly [App, App];
let before: readonly unknown[];

beforeAll(async () => {
  [book, upstream] = await Promise.all([
    openEarlierBook(),
    countingUpstream((_request, reply) => reply.setHeader('content-type', 'application/json').end('{}')),
  ]);
  pool = new pg.Pool({ connectionString: book.databaseUrl, max: 2 });
  before = await eventsUntil(1_000_000);
  const start = () => startApp({ env: book.env, dataDir: book.dataDir() });
  apps = await Promise.all([start(), start()]);
});

afterAll(async () => {
  await Promise.all((apps ?? []).map((app) => app.stop()));
  await pool?.end();
  await upstream?.stop();
  await book?.stop();
});

async function eventsUntil(position: number): Promise<readonly unknown[]> {
  const { rows } = await pool.query('select e::text from events e where position <= $1 order by position', [position]);
  return rows;
}

async function paymentsIn(state: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>('select id from payments where state = $1 order by position', [
    state,
  ]);
  return rows.map(({ id }) => id);
}

describe('an installation of the version before, upgraded by two processes that start at once', () => {
  it('is brought up by one of them, while the other waits', () => {
    const applied = apps.filter((app) => app.output().includes('Applied database migrations'));
    expect(applied).toHaveLength(1);
    expect(applied[0]!.output()).toContain('0020_limits');
  });

  it('keeps its events as they were', async () => {
    expect(before.length).toBeGreaterThan(60);
    expect(await eventsUntil(before.length)).toEqual(before);
  });

  it('shows the receipts of what was bought before, from either process', async () => {
    const settled = await eventually(async () => {
      const ids = await paymentsIn('settled');
      return ids.length >= 11 && ids;
    }, ENDED_MS);
    for (const id of settled) {
      const [one, other] = await Promise.all(apps.map((app) => send({ url: `${app.gateway}/receipts/${id}` })));
      expect([one!.status, JSON.parse(one!.body).receipt.status]).toEqual([200, 'settled']);
      expect(JSON.parse(other!.body).receipt).toEqual(JSON.parse(one!.body).receipt);
    }
  });

  it('brings the payment to an end whose money had not moved', async () => {
    await eventually(async () => {
      const open = [...(await paymentsIn('authorized')), ...(await paymentsIn('delivered'))];
      return open.length === 0;
    }, ENDED_MS);
  });

  it('goes on selling at its prices, and its tenant can be changed over REST', async () => {
    const [app, other] = apps;
    const shown = await admin(app, '/tenants/demo');
    const { upstreamSecretFingerprint: _, ...tenant } = JSON.parse(shown.body);
    const moved = await admin(other, '/tenants/demo', {
      method: 'PUT',
      body: { ...tenant, upstream: upstream.url },
      headers: { 'if-match': String(shown.headers.etag) },
    });
    expect(moved).toMatchObject({ status: 200 });
    const weather = { url: `${app.gateway}/demo/weather` };
    expect((await ask(weather)).accepts[0]).toMatchObject({ amount: '1000', maxTimeoutSeconds: 300 });
    const buyer = await newBuyer(app, 10_000n);
    await eventually(async () => (await buy(buyer, weather)).status === 200, ENDED_MS);
    expect(upstream.runs()).toBe(1);
  });

  it('has books in order', async () => {
    const dataDir = book.dataDir();
    const verify = () => run(process.execPath, [join(ROOT, 'dist', 'verify.js')], { env: verifyEnv(dataDir) });
    await eventually(async () => {
      const { code, output } = await verify();
      if (code !== 0) throw new Error(output);
      return true;
    }, ENDED_MS);
    rmSync(dataDir, { recursive: true });
  });
});

function verifyEnv(dataDir: string): Record<string, string> {
  return { ...book.env, TOLLBOOK_DATA_DIR: dataDir };
}
