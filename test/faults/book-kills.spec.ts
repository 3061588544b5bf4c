import { statSync } from 'node:fs';
import { jest } from '@jest/globals';
import { witnessPathOf } from '../../src/base/event-store/seals/witness.js';
import { sql } from '../embedded/support.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { scale, seeds } from '../support/long.js';
import { installationOf } from '../support/sibling.js';
import { expectBooksInOrder } from './books.js';
import { runCommand, verify } from './commands.js';
import { load, seeded, sign, type Ticket } from './customer.js';
import { enginePids } from './engine-pids.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 48;
const LANES = 6;
/** Each is struck once, in an order and at moments that the seed decides. */
const VICTIMS = ['postgres', 'one worker', 'both workers'] as const;
type Victim = (typeof VICTIMS)[number];

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(scale(180_000, 1_200_000));

let site: Site;
let gateway: App;
let workers: [App, App];

beforeAll(async () => {
  // The engines are the control process's, so that workers can die alone. Two of them share projections and seals.
  site = await openSite('control');
  site.provider.setGate(true);
  [gateway, ...workers] = await Promise.all([site.join('gateway'), site.join('worker'), site.join('worker')]);
  await open(gateway.gateway);
}, 60_000);
afterAll(() => site?.stop());

/** Every fifth is settled before it is answered. */
function signTickets(): Promise<Ticket[]> {
  const paths = Array.from({ length: TICKETS }, (_, n) => (n % 5 === 0 ? '/held' : '/quick'));
  return Promise.all(paths.map((path) => sign(gateway.gateway, path)));
}

async function strike(victim: Victim, seed: number): Promise<void> {
  if (victim === 'postgres') {
    for (const pid of await enginePids(site.main.dataDir, 'postgres')) process.kill(pid, 'SIGKILL');
    return;
  }
  const hit = victim === 'both workers' ? [0, 1] : [seed % 2];
  await Promise.all(hit.map((index) => workers[index]!.kill('SIGKILL')));
  for (const index of hit) workers[index] = await site.join('worker');
}

/** The victims in the order of this seed. */
function shuffled(seed: number): Victim[] {
  return [...VICTIMS].sort((a, b) => seeded(seed + VICTIMS.indexOf(a), 1e6) - seeded(seed + VICTIMS.indexOf(b), 1e6));
}

async function tradeAround(victim: Victim, seed: number): Promise<void> {
  const tickets = await eventually(signTickets, 30_000);
  let struck: Promise<void> | undefined;
  const strikeAt = seeded(seed, TICKETS - LANES);
  const outcomes = await load(gateway.gateway, tickets, LANES, (answered) => {
    if (answered === strikeAt) struck = strike(victim, seed);
  });
  await struck;
  const lost = outcomes.filter(({ status }) => status !== 200);
  expect(lost.map(({ code }) => code)).toEqual(lost.map(() => 'store_unavailable'));
}

/** Every projection has read the whole log. */
function caughtUp(): Promise<true> {
  return eventually(async () => {
    const behind = await sql(
      site.main.engines.postgres,
      'select name, position, stopped_error from projection_checkpoints where position < (select max(position) from events)',
    );
    if (behind.length > 0) throw new Error(JSON.stringify(behind));
    return true;
  }, 30_000) as Promise<true>;
}

describe('the book, while Postgres and the workers are killed', () => {
  it.each(seeds(1, 10))('skips nothing and doubles nothing (seed %i)', async (seed) => {
    for (const [index, victim] of shuffled(seed).entries()) await tradeAround(victim, seed + index);
    await expectBooksInOrder(site.main, site.payee);
    await caughtUp();

    const rebuilt = await runCommand('rebuild', site.main.dataDir, ['--dry-run', '--json']);
    expect(rebuilt).toMatchObject({ code: 0, output: expect.stringContaining('"equal": true') });
    // The witness of the seals is where a worker keeps its data.
    const [{ dataDir }] = workers;
    await eventually(() => statSync(witnessPathOf(dataDir)).size > 0);
    expect(await verify(dataDir, [], installationOf(site.main))).toMatchObject({ code: 0, failed: [] });
  });
});
