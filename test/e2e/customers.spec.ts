import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appendPaymentIdentifierToExtensions } from '@x402/extensions/payment-identifier';
import pg from 'pg';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask as askOffer, buy, newBuyer, present, sign } from '../support/payment.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SETTLE_MS = 20_000;
const SEAL_MS = 20_000;
const PAYER = `0x${'c5'.repeat(20)}`;

let app: App;
let pool: pg.Pool;

beforeAll(async () => {
  app = await startApp({ env: { LOG_LEVEL: 'trace' } });
  pool = new pg.Pool({ connectionString: app.engines.postgres, max: 2 });
});

afterAll(async () => {
  await pool?.end();
  await app?.stop();
});

function ask(path: string, method = 'GET', body?: unknown): Promise<Reply> {
  const headers = { authorization: `Bearer ${app.adminKey}`, 'content-type': 'application/json' };
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const sent = text === undefined ? { authorization: headers.authorization } : headers;
  return send({ url: `${app.control}/admin/v1/customers${path}`, method, headers: sent, body: text });
}

async function json<T>(path: string, method?: string, body?: unknown): Promise<T> {
  const reply = await ask(path, method, body);
  expect({ status: reply.status, body: reply.body }).toMatchObject({ status: 200 });
  return JSON.parse(reply.body) as T;
}

async function eventsOf(payer: string): Promise<readonly { type: string; data: object }[]> {
  const { rows } = await pool.query('select type, data from events where stream = $1 order by version', [
    `customer/demo/${payer}`,
  ]);
  return rows;
}

/** Word by word what every table holds, as text; bytes are hex. */
async function dump(): Promise<ReadonlyMap<string, string>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const dumped = tables.map(async ({ name }): Promise<[string, string]> => {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
    return [name, rows.map(({ row }) => row).join('\n')];
  });
  return new Map(await Promise.all(dumped));
}

/** How a word may be hidden in a text: as it is, in hex, or in base64 at any of the three offsets. */
function spellings(word: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from(' '.repeat(offset) + word).toString('base64');
    return text.slice(offset === 0 ? 0 : 4, -4);
  });
  return [word, Buffer.from(word).toString('hex'), ...base64, ...base64.map((text) => text.replaceAll('+', '-'))];
}

async function tablesWith(words: readonly string[]): Promise<string[]> {
  const all = words.flatMap(spellings);
  return [...(await dump())].filter(([, text]) => all.some((word) => text.includes(word))).map(([name]) => name);
}

/** What it printed, and what it left in its folder outside the engines' own. */
function writings(): string {
  const files = readdirSync(app.dataDir, { withFileTypes: true }).filter((entry) => entry.isFile());
  return [app.output(), ...files.map(({ name }) => readFileSync(join(app.dataDir, name), 'utf8'))].join('\n');
}

/** Runs a command of Tollbook beside the running one; throws with what it printed if it does not end well. */
async function tollbook(command: 'verify' | 'rebuild', ...args: readonly string[]): Promise<void> {
  const env = { PATH: process.env.PATH, TOLLBOOK_DATA_DIR: app.dataDir };
  const file = join(ROOT, 'dist', `${command}.js`);
  await new Promise<void>((resolve, reject) => {
    execFile(process.execPath, [file, ...args], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ended with ${error.code}:\n${stdout}${stderr}`));
      else resolve();
    });
  });
}

describe('the customers of a tenant', () => {
  it('are noted, replaced, shown, listed and erased', async () => {
    const path = `/demo/${PAYER}`;
    expect((await ask(path)).status).toBe(404);
    const shown = await json(path, 'PUT', { name: ' Ada ', email: 'ada@example.com' });
    expect(shown).toMatchObject({ tenant: 'demo', payer: PAYER, name: 'Ada', email: 'ada@example.com', note: null });
    expect(await json(path, 'PUT', { name: 'Ada', email: 'ada@example.com' })).toEqual(shown);
    expect(await json(path.toUpperCase().replace('DEMO', 'demo').replace('0X', '0x'))).toEqual(shown);
    expect(await json(path, 'PUT', { note: 'tab\tand\nline' })).toMatchObject({ name: null, note: 'tab\tand\nline' });
    expect((await ask(path, 'DELETE')).status).toBe(204);
    expect((await ask(path, 'DELETE')).status).toBe(204);
    expect((await ask(path)).status).toBe(404);
    expect(await eventsOf(PAYER)).toEqual([
      { type: 'CustomerDescribed', data: { payer: PAYER, fields: ['name', 'email'] } },
      { type: 'CustomerDescribed', data: { payer: PAYER, fields: ['note'] } },
      { type: 'CustomerErased', data: { payer: PAYER } },
    ]);
  });

  it('are listed by page, also when the last one shown is erased meanwhile', async () => {
    const payers = ['11', '22', '33'].map((byte) => `0x${byte.repeat(20)}`);
    for (const payer of payers) await json(`/demo/${payer}`, 'PUT', { name: payer });
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await json<{ data: { payer: string }[]; next_cursor?: string }>(`?tenant=demo&limit=1${cursor}`);
      seen.push(...page.data.map(({ payer }) => payer));
      cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
      expect((await ask(`/demo/${page.data[0]!.payer}`, 'DELETE')).status).toBe(204);
    } while (cursor !== '');
    expect(seen).toEqual(payers);
    expect(await json('?tenant=nobody')).toEqual({ data: [] });
  });

  it('are written by one of many at once, and nothing is lost', async () => {
    const payer = `0x${'44'.repeat(20)}`;
    const names = ['a', 'b', 'c'];
    const replies = await Promise.all(names.map((name) => ask(`/demo/${payer}`, 'PUT', { name })));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { name } = await json<{ name: string }>(`/demo/${payer}`);
    expect(names).toContain(name);
    expect(await eventsOf(payer)).toHaveLength(3);
  });

  it.each([
    ['no field', `/demo/${PAYER}`, {}],
    ['an unknown field', `/demo/${PAYER}`, { name: 'a', phone: '1' }],
    ['no address of mail', `/demo/${PAYER}`, { email: 'ada' }],
    ['a name of blanks', `/demo/${PAYER}`, { name: '  ' }],
    ['a zero byte', `/demo/${PAYER}`, { note: 'a\u0000b' }],
    ['half a character', `/demo/${PAYER}`, '{"note":"\\ud800"}'],
    ['a note too long', `/demo/${PAYER}`, { note: 'a'.repeat(2001) }],
    ['a list', `/demo/${PAYER}`, []],
    ['no JSON', `/demo/${PAYER}`, 'name=a'],
    ['no body', `/demo/${PAYER}`, undefined],
    ['no address', '/demo/0x12', { name: 'a' }],
  ])('are not noted with %s', async (_what, path, body) => {
    const reply = await ask(path, 'PUT', body);
    expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
    expect(JSON.parse(reply.body).detail).not.toMatch(/^query/);
  });

  it.each([
    [404, 'not_found', 'PUT', `/nobody/${PAYER}`, { name: 'a' }],
    [404, 'not_found', 'DELETE', `/nobody/${PAYER}`, undefined],
    [404, 'not_found', 'GET', `/demo/${PAYER}`, undefined],
    [400, 'invalid_request', 'GET', '/demo/abc', undefined],
    [400, 'invalid_request', 'GET', '?cursor=WyJhIl0', undefined],
    [400, 'invalid_request', 'GET', '?cursor=WyJhXHUwMDAwIiwiYiJd', undefined],
    [400, 'invalid_request', 'GET', '?tenant=%00', undefined],
    [400, 'invalid_request', 'GET', `/%00/${PAYER}`, undefined],
  ])('answers %i %s to %s %s', async (status, code, method, path, body) => {
    const reply = await ask(path, method, body);
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });

  it('are shown to nobody without the key', async () => {
    expect((await send({ url: `${app.control}/admin/v1/customers` })).status).toBe(401);
  });
});

describe('personal data', () => {
  const canary = (what: string) => `${what}-${randomBytes(9).toString('hex')}`;
  const noted = { name: canary('name'), email: `${canary('mail')}@example.com`, note: canary('note') };
  const sent = { query: canary('query'), header: canary('header'), body: canary('body'), identifier: canary('id') };
  const notedWords = [noted.name, noted.email.split('@')[0]!, noted.note];
  const sentWords = Object.values(sent);

  it('is never in an event or a log, and after an erasure nowhere, while the books stay as they are', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const payer = addressOf(buyer);
    const call = {
      url: `${app.gateway}/demo/query?who=${sent.query}`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-customer': sent.header, 'user-agent': sent.header },
      body: JSON.stringify({ query: sent.body }),
    };
    const offer = await askOffer(call);
    const extensions = appendPaymentIdentifierToExtensions(structuredClone(offer.extensions ?? {}), sent.identifier);
    const payment = { ...(await sign(buyer, offer)), extensions };
    expect((await present(call, payment)).status).toBe(200);
    expect((await buy(buyer, { url: `${app.gateway}/demo/slow?who=${sent.query}` })).status).toBe(200);
    await json(`/demo/${payer}`, 'PUT', noted);
    const stranger = await newBuyer(app, 1_000_000n);
    expect((await buy(stranger, { url: `${app.gateway}/demo/weather` })).status).toBe(200);
    await eventually(async () => {
      const { rows } = await pool.query("select 1 from payments where payer = any($1) and state = 'settled'", [
        [payer, addressOf(stranger)],
      ]);
      return rows.length === 3;
    }, SETTLE_MS);

    expect(await tablesWith(sentWords)).toEqual([]);
    expect(await tablesWith(notedWords)).toEqual(['public.customer_details']);
    const before = await books();
    expect(before.answers).toHaveLength(3);

    expect((await ask(`/demo/${payer}`, 'DELETE')).status).toBe(204);

    expect(await tablesWith([...notedWords, ...sentWords])).toEqual([]);
    const after = await books();
    // The events stand as they stood, with one more behind them; so does everything made from them.
    expect(after.events.slice(0, before.events.length)).toEqual(before.events);
    expect(after.events.slice(before.events.length)).toEqual([expect.stringContaining('CustomerErased')]);
    expect(after.payments).toEqual(before.payments);
    expect(after.answers).toHaveLength(1);
    // A repeat is told that the answer is gone; it is neither run nor paid again.
    const repeat = await present(call, payment);
    expect([repeat.status, codeOf(repeat)]).toEqual([409, 'answer_not_kept']);
    for (const word of [...notedWords, ...sentWords]) expect(writings()).not.toContain(word);

    await eventually(async () => {
      const { rows } = await pool.query(
        'select 1 where (select max(to_position) from seals) >= (select max(position) from events)',
      );
      return rows.length === 1;
    }, SEAL_MS);
    await tollbook('verify');
    await tollbook('rebuild');
  });

  async function books() {
    const rowsOf = async (sql: string) => (await pool.query<{ row: string }>(sql)).rows.map(({ row }) => row);
    return {
      events: await rowsOf('select e::text as row from events e order by position'),
      payments: await rowsOf('select p::text as row from payments p order by id'),
      answers: await rowsOf('select payment_id as row from answers'),
    };
  }
});
