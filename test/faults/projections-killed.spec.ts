import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { compareRebuilt } from '../../src/base/event-store/projections/compare.js';
import { openBatchPool, openPool } from '../../src/base/platform/pool.js';
import { upcast } from '../../src/event-catalogue.js';
import { projections } from '../../src/projections.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { scale, seed, seeds } from '../support/long.js';
import { processScript } from '../support/process-script.js';
import { appendPayments, caughtUp, checkpoints, silent } from '../support/projections.js';
import { seeded } from './customer.js';

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(scale(150_000, 900_000));

const NAMES = projections.map(({ name }) => name);
const SEEDS = seeds(3, 20);

let databaseUrl: string;
let pool: Pool;
let batch: Pool;
let store: EventStore;
let sent = 0;
const workers = new Set<ChildProcess>();

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  pool = openPool(databaseUrl, 'test', 10, silent);
  batch = openBatchPool(databaseUrl, 'test-batch', 8, silent);
  store = new EventStore(pool, () => Date.UTC(2026, 10, 23, 12));
});

/** What a failed test left running would fail the next one too. */
afterEach(async () => {
  await Promise.all([...workers].map((worker) => end(worker, 'SIGKILL')));
});

afterAll(async () => {
  await Promise.all([pool.end(), batch.end()]);
});

async function startWorker(): Promise<ChildProcess> {
  const script = processScript('test/faults/projection-worker');
  const worker = spawn(process.execPath, [script, databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.add(worker);
  await once(worker.stdout!, 'data');
  return worker;
}

async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  workers.delete(worker);
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, 'exit');
  worker.kill(signal);
  await ended;
}

async function send(payments: number): Promise<void> {
  await appendPayments(store, sent, sent + payments);
  sent += payments;
}

async function expectNothingDoubledOrSkipped(): Promise<void> {
  await caughtUp(pool, NAMES, 60_000);
  for (const projection of projections) {
    const { equal, tables } = await compareRebuilt(batch, projection, undefined, upcast);
    expect({ projection: projection.name, equal, tables }).toMatchObject({ equal: true });
  }
}

describe('two workers that share the projections', () => {
  it('of which one is killed again and again at any moment: the other takes over within seconds', async () => {
    let [victim, survivor] = await Promise.all([startWorker(), startWorker()]);
    for (const round of SEEDS) {
      const traffic = send(60);
      await pause(seeded(round, 1_500));
      await end(victim, 'SIGKILL');
      await traffic;
      const killedAt = performance.now();
      await caughtUp(pool, NAMES, 30_000);
      // The lease of 3 s, a look every second, and the busy machine.
      expect(performance.now() - killedAt).toBeLessThan(10_000);
      // The survivor of this round is the next one to die.
      [victim, survivor] = [survivor, await startWorker()];
    }
    await expectNothingDoubledOrSkipped();
    await Promise.all([victim, survivor].map((worker) => end(worker, 'SIGTERM')));
    // The lease of the one that was killed last may still have a moment to go.
    await eventually(async () => {
      const valid = 'select name, owner from projection_checkpoints where lease_until > clock_timestamp()';
      expect((await pool.query(valid)).rows).toEqual([]);
      return true;
    });
  });

  it('of which one is frozen past its lease: when it wakes it is fenced off', async () => {
    const frozen = await startWorker();
    await send(20);
    await caughtUp(pool, NAMES);
    const owner = (await checkpoints(pool)).get(NAMES[0]!)!.owner;
    const traffic = send(40);
    await pause(seeded(seed, 300));
    frozen.kill('SIGSTOP');
    const other = await startWorker();
    await traffic;
    await caughtUp(pool, NAMES, 30_000);
    // If the frozen one had read it all before it froze, nothing but the end of its lease says when the other takes over.
    await eventually(async () => {
      const owners = [...(await checkpoints(pool)).values()].map((row) => row.owner);
      return owners.length === NAMES.length && owners.every((now) => now !== null && now !== owner);
    }, 30_000);
    frozen.kill('SIGCONT');
    await send(20);
    await eventually(async () => {
      const owners = new Set([...(await checkpoints(pool)).values()].map((row) => row.owner));
      return owners.size === 2 && owners.has(owner);
    }, 30_000);
    await expectNothingDoubledOrSkipped();
    await Promise.all([frozen, other].map((worker) => end(worker, 'SIGTERM')));
  });
});

describe('npm run rebuild', () => {
  it('killed at any moment leaves the live rows as they were, and then does its work', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tollbook-rebuild-'));
    const rebuild = () => {
      const command = spawn(process.execPath, [processScript('src/rebuild')], {
        env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, TOLLBOOK_DATA_DIR: dataDir },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      workers.add(command);
      return command;
    };
    try {
      for (const round of SEEDS) {
        const command = rebuild();
        // From when it looks at the database on.
        await eventually(async () => {
          const { rows } = await pool.query('select 1 from projection_rebuilds');
          return rows.length > 0 || command.exitCode !== null;
        }, 30_000);
        await pause(seeded(round + 10, 150));
        await end(command, 'SIGKILL');
        await caughtUp(pool, NAMES);
        for (const { owner, stopped_at: stopped } of (await checkpoints(pool)).values()) {
          expect({ owner, stopped }).toEqual({ owner: null, stopped: null });
        }
      }
      const whole = rebuild();
      let output = '';
      whole.stdout!.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const [code] = await once(whole, 'exit');
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output.match(/ equal to the live rows .*; swapped in/g)).toHaveLength(NAMES.length);
      await expectNothingDoubledOrSkipped();
      const { rows } = await pool.query("select nspname from pg_namespace where nspname like 'rebuild%'");
      expect(rows).toEqual([]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
