import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import pg from 'pg';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { scale, seeds } from '../support/long.js';
import { startSibling } from '../support/sibling.js';
import { UsageSender, usageEvent } from '../support/usage-sender.js';
import { verify } from './commands.js';
import { seeded } from './customer.js';

const BATCHES = 30;
const SIZE = 200;
const LANES = 4;

/** A busy machine takes its time. */
jest.setTimeout(scale(150_000, 900_000));

let main: App;
let sender: UsageSender;
/** Of Postgres. */
let pidFile: string;
/** Events that were sent in all, and those that were acknowledged as new. */
let sent = 0;
let acknowledged = 0;

beforeAll(async () => {
  main = await startApp({ postgres: 'own' });
  sender = await UsageSender.of(main);
  const client = new pg.Client({ connectionString: main.engines.postgres });
  await client.connect();
  const { rows } = await client.query<{ data_directory: string }>('show data_directory');
  await client.end();
  pidFile = join(rows[0]!.data_directory, 'postmaster.pid');
});
afterAll(() => main?.stop());

/** Sends batches by several lanes until `strike` was called, which happens after so many answers; then all again, elsewhere. */
async function sendUnderFire(control: string, name: string, after: number, strike: () => Promise<void>): Promise<void> {
  const batches = Array.from({ length: BATCHES }, (_, batch) =>
    Array.from({ length: SIZE }, (_, line) => usageEvent(`${name}-${batch}-${line}`)),
  );
  const answers: (readonly string[] | undefined)[] = batches.map(() => undefined);
  let answered = 0;
  let struck: Promise<void> | undefined;
  const open = [...batches.keys()];
  const lane = async () => {
    for (let index = open.shift(); index !== undefined; index = open.shift()) {
      answers[index] = await sender.results(control, batches[index]!);
      if (answers[index] !== undefined) answered++;
      if (answered >= after) struck ??= strike();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await struck;
  await eventually(async () => (await fetch(`${main.control}/health/ready`)).ok, 60_000);
  for (const [index, batch] of batches.entries()) {
    const first = answers[index];
    if (first) expect(new Set(first)).toEqual(new Set(['accepted']));
    const again = await eventually(() => sender.results(main.control, batch), 30_000);
    expect(again).toHaveLength(SIZE);
    // Acknowledged is stored; unanswered is stored whole or not at all.
    expect(new Set(again).size).toBe(1);
    if (first) expect(again[0]).toBe('duplicate');
    acknowledged += first || again[0] === 'accepted' ? SIZE : 0;
    sent += SIZE;
  }
}

async function expectEachOnce(): Promise<void> {
  const { body } = await admin(main, '/usage/demo/totals?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z');
  const totals = Object.fromEntries(
    (JSON.parse(body).data as { meter: string; total: string }[]).map(({ meter, total }) => [meter, total]),
  );
  expect(totals).toEqual({ calls: String(sent), used: String(sent / 10) });
  expect(acknowledged).toBeLessThanOrEqual(sent);
  expect(await verify(main.dataDir, ['--only', 'usage,seals'])).toMatchObject({ failed: [] });
}

it('a control process that is killed leaves each batch stored whole and once, or not at all', async () => {
  for (const seed of seeds(2, 12)) {
    const control = await startSibling(main, 'control');
    await sendUnderFire(control.control, `control-${seed}`, seeded(seed, BATCHES - LANES), () =>
      control.kill('SIGKILL'),
    );
    await control.stop();
  }
  await expectEachOnce();
});

it('Postgres that is killed loses nothing that was acknowledged', async () => {
  for (const seed of seeds(2, 12)) {
    await sendUnderFire(main.control, `postgres-${seed}`, seeded(seed, BATCHES - LANES), async () => {
      process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGKILL');
    });
  }
  await expectEachOnce();
});
