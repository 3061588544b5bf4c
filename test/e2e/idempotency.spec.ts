import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { IdempotencyStore } from '../../src/edges/admin/idempotency.store.js';
import { type AdminCall, admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply } from '../support/http.js';
import { startSibling } from '../support/sibling.js';

/** The lock under which the log is appended. */
const LOG_LOCK = [8402, 1];

let app: App;
let second: App;
let pool: pg.Pool;
let payers = 0;

beforeAll(async () => {
  app = await startApp();
  second = await startSibling(app, 'control');
  pool = new pg.Pool({ connectionString: app.engines.postgres, max: 4 });
});

afterAll(async () => {
  await pool?.end();
  await second?.stop();
  await app?.stop();
});

/** A customer that no other test writes. */
function somebody(): string {
  payers += 1;
  return `/customers/demo/0x${payers.toString(16).padStart(40, '0')}`;
}

function put(path: string, name: string, key?: string, at: App = app): Promise<Reply> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return admin(at, path, { method: 'PUT', body: { name }, headers });
}

async function eventsOf(path: string): Promise<number> {
  const stream = path.slice(1).replace('customers', 'customer');
  return (await pool.query('select 1 from events where stream = $1', [stream])).rows.length;
}

/** Answers of running requests; those that were answered already are left out. */
async function runningKeys(): Promise<number> {
  return (await pool.query('select 1 from idempotency_keys where answer is null')).rows.length;
}

/** Holds the log back until the returned function is called: what is written meanwhile waits. */
async function stopTheLog(): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('select pg_advisory_lock($1, $2)', LOG_LOCK);
  return async () => {
    await client.query('select pg_advisory_unlock($1, $2)', LOG_LOCK);
    client.release();
  };
}

describe('a write with an Idempotency-Key', () => {
  it('is done once, and answered byte for byte the same by whichever process, also with the key quoted', async () => {
    const [path, key] = [somebody(), randomUUID()];
    const first = await put(path, 'Ada', key);
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([200, undefined]);
    await put(path, 'Grace');
    for (const [at, spelling] of [
      [app, key],
      [second, `"${key}"`],
    ] as const) {
      const again = await put(path, 'Ada', spelling, at);
      expect(again).toMatchObject({ status: 200, body: first.body });
      const { 'content-type': type, etag, 'idempotent-replayed': replayed } = again.headers;
      expect([type, etag, replayed]).toEqual([first.headers['content-type'], first.headers.etag, 'true']);
    }
    expect(await eventsOf(path)).toBe(2);
  });

  it('replays an empty answer too', async () => {
    const [path, key] = [somebody(), randomUUID()];
    await put(path, 'Ada');
    const erase: AdminCall = { method: 'DELETE', headers: { 'idempotency-key': key } };
    expect(await admin(app, path, erase)).toMatchObject({ status: 204, body: '' });
    await put(path, 'Ada');
    const again = await admin(app, path, erase);
    expect(again).toMatchObject({ status: 204, body: '', headers: { 'idempotent-replayed': 'true' } });
    expect((await admin(app, path)).status).toBe(200);
  });

  it('is refused if the key came with another request before, and free for another resource', async () => {
    const [path, key] = [somebody(), randomUUID()];
    await put(path, 'Ada', key);
    const other = await put(path, 'Grace', key);
    expect([other.status, codeOf(other)]).toEqual([422, 'idempotency_key_reused']);
    expect((await put(somebody(), 'Grace', key)).status).toBe(200);
    expect(JSON.parse((await admin(app, path)).body)).toMatchObject({ name: 'Ada' });
  });

  it.each(['', 'a b', '"a', 'x'.repeat(256)])('is refused if the key is no key: %j', async (key) => {
    const reply = await put(somebody(), 'Ada', key);
    expect([reply.status, codeOf(reply)]).toEqual([400, 'idempotency_key_invalid']);
  });

  it('may be tried again under its key after a refusal', async () => {
    const [path, key] = [somebody(), randomUUID()];
    expect((await put(path, '', key)).status).toBe(400);
    expect((await put(path, 'Ada', key)).status).toBe(200);
  });

  it('is not done, nor its answer shown, for who has no admin key', async () => {
    const [path, key] = [somebody(), randomUUID()];
    await put(path, 'Ada', key);
    const stranger = { ...app, adminKey: 'wrong' };
    expect((await put(path, 'Ada', key, stranger)).status).toBe(401);
  });

  it('is told to wait while the first one runs, which is answered in the end', async () => {
    const [path, key] = [somebody(), randomUUID()];
    const goOn = await stopTheLog();
    const first = put(path, 'Ada', key);
    await eventually(async () => (await runningKeys()) === 1);
    for (const at of [app, second]) {
      const early = await put(path, 'Ada', key, at);
      expect([early.status, codeOf(early), early.headers['retry-after']]).toEqual([
        409,
        'idempotency_key_in_progress',
        '1',
      ]);
    }
    await goOn();
    expect(await first).toMatchObject({ status: 200 });
    expect((await put(path, 'Ada', key, second)).body).toBe((await first).body);
  });

  it('runs once of many at once at two processes', async () => {
    const [path, key] = [somebody(), randomUUID()];
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, index) => put(path, 'Ada', key, index % 2 === 0 ? app : second)),
    );
    const ran = replies.filter(({ headers, status }) => status === 200 && !headers['idempotent-replayed']);
    expect(ran).toHaveLength(1);
    const rest = replies.filter((reply) => reply !== ran[0]);
    for (const reply of rest) {
      if (reply.status === 200) expect(reply.body).toBe(ran[0]!.body);
      else expect(codeOf(reply)).toBe('idempotency_key_in_progress');
    }
    expect(await eventsOf(path)).toBe(1);
  });

  it('is taken over once the process that ran it is gone, and finds what that one did', async () => {
    const [path, key] = [somebody(), randomUUID()];
    const doomed = await startSibling(app, 'control');
    const goOn = await stopTheLog();
    const lost = put(path, 'Ada', key, doomed).catch(() => undefined);
    await eventually(async () => (await runningKeys()) === 1);
    const keeper = await pool.connect();
    await keeper.query('begin; select 1 from idempotency_keys where answer is null for update');
    await goOn();
    const saying = async () =>
      (
        await pool.query<{ pid: number }>(
          `select pid from pg_stat_activity
           where wait_event_type = 'Lock' and query like 'update idempotency_keys%' and datname = current_database()`,
        )
      ).rows;
    // It has done its work and is about to say so.
    const [{ pid }] = await eventually(async () => {
      const rows = await saying();
      return rows.length === 1 && (rows as [{ pid: number }]);
    });
    expect(await eventsOf(path)).toBe(1);
    await doomed.kill('SIGKILL');
    // What it has sent would still be done: Postgres does not notice that nobody waits for it.
    await pool.query('select pg_terminate_backend($1)', [pid]);
    await eventually(async () => (await saying()).length === 0);
    await keeper.query('rollback');
    keeper.release();
    await lost;
    expect(codeOf(await put(path, 'Ada', key))).toBe('idempotency_key_in_progress');
    await pool.query("update idempotency_keys set lease_until = now() - interval '1 s' where answer is null");
    const other = await put(path, 'Grace', key);
    expect(codeOf(other)).toBe('idempotency_key_reused');
    expect(await put(path, 'Ada', key)).toMatchObject({ status: 200 });
    expect(await put(path, 'Ada', key)).toMatchObject({ headers: { 'idempotent-replayed': 'true' } });
    expect(await eventsOf(path)).toBe(1);
    await doomed.stop();
  });

  it('is a new one after its key expired', async () => {
    const [path, key] = [somebody(), randomUUID()];
    await put(path, 'Ada', key);
    await pool.query('update idempotency_keys set expires_at = now()');
    const other = await put(path, 'Grace', key);
    expect(other).toMatchObject({ status: 200 });
    expect(other.headers['idempotent-replayed']).toBeUndefined();
  });

  it('is forgotten by the purge, and only then', async () => {
    const { rows } = await pool.query<{ count: number }>('select count(*)::int as count from idempotency_keys');
    expect(rows[0]!.count).toBeGreaterThan(0);
    const store = new IdempotencyStore(pool, Buffer.alloc(32));
    await pool.query("update idempotency_keys set expires_at = now() + interval '1 hour'");
    expect(await store.purge()).toBe(false);
    expect((await pool.query('select 1 from idempotency_keys')).rowCount).toBe(rows[0]!.count);
    await pool.query('update idempotency_keys set expires_at = now()');
    await store.purge();
    expect((await pool.query('select 1 from idempotency_keys')).rowCount).toBe(0);
  });

  it('keeps its answer where only its key can read it', async () => {
    const [path, key] = [somebody(), randomUUID()];
    await put(path, 'Marguerite', key);
    const { rows } = await pool.query<{ row: string }>('select k::text as row from idempotency_keys k');
    const all = rows.map(({ row }) => row).join('\n');
    for (const secret of [key, 'Marguerite', Buffer.from('Marguerite').toString('hex')]) {
      expect(all).not.toContain(secret);
    }
  });
});

describe('a conditional write', () => {
  const conditional = (path: string, name: string, headers: Record<string, string>) =>
    admin(app, path, { method: 'PUT', body: { name }, headers });

  it('overwrites only what it has seen', async () => {
    const path = somebody();
    const created = await conditional(path, 'Ada', { 'if-none-match': '*' });
    expect([created.status, created.headers.etag]).toEqual([200, '"1"']);
    expect(codeOf(await conditional(path, 'Grace', { 'if-none-match': '*' }))).toBe('precondition_failed');
    const changed = await conditional(path, 'Grace', { 'if-match': '"1"' });
    expect([changed.status, changed.headers.etag]).toEqual([200, '"2"']);
    const late = await conditional(path, 'Joan', { 'if-match': '"1"' });
    expect([late.status, codeOf(late)]).toEqual([412, 'precondition_failed']);
    // What stands already is no lost update: its answer may have been lost.
    expect(await conditional(path, 'Grace', { 'if-match': '"1"' })).toMatchObject({ status: 200 });
    expect((await admin(app, path, { method: 'DELETE', headers: { 'if-match': '"1"' } })).status).toBe(412);
    expect((await admin(app, path, { method: 'DELETE', headers: { 'if-match': '"2"' } })).status).toBe(204);
    expect(await conditional(path, 'Ada', { 'if-none-match': '*' })).toMatchObject({ headers: { etag: '"4"' } });
  });

  it('is won by one of many that saw the same', async () => {
    const path = somebody();
    await conditional(path, 'Ada', { 'if-none-match': '*' });
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        admin(index % 2 === 0 ? app : second, path, {
          method: 'PUT',
          body: { name: `Ada ${index}` },
          headers: { 'if-match': '"1"' },
        }),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 412)).toHaveLength(19);
    expect(await eventsOf(path)).toBe(2);
  });

  it('is spared the body that it has', async () => {
    const path = somebody();
    await put(path, 'Ada');
    const whole = await admin(app, path);
    expect(whole).toMatchObject({ status: 200, headers: { etag: '"1"' } });
    const known = await admin(app, path, { headers: { 'if-none-match': '"1"' } });
    expect(known).toMatchObject({ status: 304, body: '', headers: { etag: '"1"' } });
    await put(path, 'Grace');
    expect(await admin(app, path, { headers: { 'if-none-match': '"1"' } })).toMatchObject({ status: 200 });
  });
});

describe('a list', () => {
  it.each(['customers', 'payments', 'usage', 'events', 'ledger/accounts', 'ledger/transfers'])(
    'of %s refuses a filter that it does not know, and names it',
    async (list) => {
      const reply = await admin(app, `/${list}?tennant=demo&limit=5`);
      expect([reply.status, codeOf(reply)]).toEqual([400, 'invalid_request']);
      expect(JSON.parse(reply.body).errors).toEqual([{ parameter: 'tennant', detail: 'is not known' }]);
    },
  );
});
