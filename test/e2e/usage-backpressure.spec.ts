import pg from 'pg';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply } from '../support/http.js';
import { UsageSender, usageEvent } from '../support/usage-sender.js';

/** More than one process works on at a time. */
const MANY = 140;

let app: App;
let sender: UsageSender;
/** Holds up whoever wants to store usage events, as a slow disk does. */
let holder: pg.Client;

beforeAll(async () => {
  app = await startApp();
  sender = await UsageSender.of(app);
  holder = new pg.Client({ connectionString: app.engines.postgres });
  await holder.connect();
  await holder.query('set idle_in_transaction_session_timeout = 0');
});
afterAll(async () => {
  await holder?.end();
  await app?.stop();
});

async function counted(): Promise<string | undefined> {
  const { body } = await admin(app, '/usage/demo/totals?meter=calls&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z');
  return (JSON.parse(body).data as { total: string }[])[0]?.total;
}

describe('while Postgres is slow', () => {
  it('what is under way waits, and what is too much is told to come back, with nothing done', async () => {
    await holder.query('begin; lock table usage_events in exclusive mode');
    const replies: Reply[] = [];
    const all = Array.from({ length: MANY }, async (_, index) => {
      replies.push(await sender.post(app.control, [usageEvent(`many-${index}`)]));
    });
    const refused = await eventually(() => (replies.length >= MANY - 128 ? [...replies] : undefined));
    for (const reply of refused) {
      expect([reply.status, codeOf(reply), reply.headers['retry-after']]).toEqual([503, 'ingestion_busy', '2']);
    }
    await holder.query('commit');
    await Promise.all(all);
    const taken = replies.filter(({ status }) => status === 200).length;
    expect([taken, replies.length]).toEqual([MANY - refused.length, MANY]);
    expect(await counted()).toBe(String(taken));
    const again = await sender.results(
      app.control,
      Array.from({ length: MANY }, (_, index) => usageEvent(`many-${index}`)),
    );
    expect(again!.filter((one) => one === 'accepted')).toHaveLength(MANY - taken);
  });

  it('who waited too long is told so, and nothing is stored', async () => {
    const before = await counted();
    await holder.query('begin; lock table usage_events in exclusive mode');
    const reply = await sender.post(app.control, [usageEvent('late')]);
    expect([reply.status, codeOf(reply), reply.headers['retry-after']]).toEqual([503, 'store_unavailable', '2']);
    await holder.query('rollback');
    expect(await counted()).toBe(before);
    expect(await sender.results(app.control, [usageEvent('late')])).toEqual(['accepted']);
  });
});
