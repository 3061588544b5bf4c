import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import pg from 'pg';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { scale } from '../support/long.js';
import { startSibling } from '../support/sibling.js';
import { verify } from './commands.js';

/** Each pays a cent of the invoice. */
const LINES = scale(80, 300);

/** A busy machine takes its time. */
jest.setTimeout(scale(150_000, 600_000));

let main: App;
let books: pg.Client;
let invoice: string;

const put = (path: string, body: object) => admin(main, path, { method: 'PUT', body });
const post = (path: string, body: object = {}) =>
  admin(main, path, { method: 'POST', body, headers: { 'idempotency-key': randomUUID() } });
const get = async (path: string) => JSON.parse((await admin(main, path)).body);

beforeAll(async () => {
  main = await startApp();
  books = new pg.Client({ connectionString: main.engines.postgres });
  await books.connect();
  const { customer } = JSON.parse((await post('/accounts/demo', { credit_line: '100000000' })).body);
  const { key } = JSON.parse((await post('/tenants/demo/ingestion-keys')).body);
  await put('/meters/demo/calls', { aggregation: 'count', eventType: 'calls', unit: 'call' });
  await put('/meters/demo/calls/price', { charge: { model: 'per_unit', amount: `${LINES * 10_000}` } });
  const time = new Date().toISOString();
  const event = { specversion: '1.0', id: '1', source: '/s', type: 'calls', subject: customer, time };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' };
  expect((await fetch(`${main.control}/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) })).ok).toBe(
    true,
  );
  const { now } = await get('/tenants/demo/clock');
  await put('/tenants/demo/clock', { advance_to: new Date(Date.parse(now) + 32 * 86_400_000).toISOString() });
  const final = await eventually(async () => (await get(`/invoices?customer=${customer}`)).data[0], 60_000);
  invoice = final.id;
  await eventually(async () => (await post(`/invoices/${invoice}/finalize`)).status === 200, 30_000);
  await eventually(async () => (await get(`/invoices/${invoice}`)).number === 'INV-000001', 30_000);
});
afterAll(async () => {
  await books?.end();
  await main?.stop();
});

function importInto(control: string): Promise<Record<string, number>> {
  const headers = { authorization: `Bearer ${main.adminKey}`, 'content-type': 'text/csv' };
  const body = ['date,amount,text', ...Array(LINES).fill('2026-12-01,0.01,INV-000001')].join('\n');
  const path = '/admin/v1/bank-statements?tenant=demo&account=X';
  return fetch(`${control}${path}`, { method: 'POST', headers, body }).then((reply) => reply.json() as never);
}

async function matches(): Promise<number> {
  return Number((await books.query('select count(*) from bank_line_matches')).rows[0].count);
}

it('a control process that is killed between lines leaves a file that the next one finishes, each line once', async () => {
  const control = await startSibling(main, 'control');
  const cut = importInto(control.control).catch(() => 'cut off');
  await eventually(async () => (await matches()) > 3, 60_000);
  await control.kill('SIGKILL');
  expect(await cut).toBe('cut off');
  const before = await matches();
  expect(before).toBeLessThan(LINES);
  const [one, other] = await Promise.all([importInto(main.control), importInto(main.control)]);
  expect(one.matched! + other.matched!).toBe(LINES - before);
  expect(await importInto(main.control)).toMatchObject({ matched: 0, duplicate: LINES });
  expect(await get(`/invoices/${invoice}`)).toMatchObject({ state: 'paid', paid: String(LINES), outstanding: '0' });
  expect(await verify(main.dataDir, ['--only', 'ledger,holds,invoices,projections'])).toMatchObject({ failed: [] });
});
