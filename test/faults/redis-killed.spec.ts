import { jest } from '@jest/globals';
import { withRedis } from '../embedded/support.js';
import { eventually } from '../support/eventually.js';
import { expectBooksInOrder } from './books.js';
import { load, type Outcome, signMany } from './customer.js';
import { enginePids } from './engine-pids.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 60;
const LANES = 6;

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(150_000);

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.stop());
beforeEach(() => open(site.main.gateway));

/** Buys, and strikes once a third is answered. */
async function buyAround(strike: () => Promise<unknown>): Promise<Outcome[]> {
  const tickets = await signMany(site.main.gateway, '/quick', TICKETS);
  let struck: Promise<unknown> | undefined;
  const outcomes = await load(site.main.gateway, tickets, LANES, (answered) => {
    if (answered === TICKETS / 3) struck = strike();
  });
  await struck;
  return outcomes;
}

async function expectAllPaid(outcomes: readonly Outcome[]): Promise<void> {
  expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 200));
  const ended = await expectBooksInOrder(site.main, site.payee);
  expect(outcomes.map(({ ticket }) => ended.get(ticket.id)?.state)).toEqual(outcomes.map(() => 'settled'));
}

async function redisPid(): Promise<number> {
  return eventually(async () => (await enginePids(site.main.dataDir, 'redis-server'))[0]);
}

describe('Redis', () => {
  it('killed under load: buyers notice nothing, and all is settled', async () => {
    await expectAllPaid(await buyAround(async () => process.kill(await redisPid(), 'SIGKILL')));
  });

  it('emptied under load: open work is found again from the events', async () => {
    await expectAllPaid(await buyAround(() => withRedis(site.main.engines.redis, (redis) => redis.flushall())));
  });

  it('standing still for seconds: buyers notice nothing, and all is settled', async () => {
    const pid = await redisPid();
    const outcomes = await buyAround(async () => process.kill(pid, 'SIGSTOP'));
    await eventually(() => site.main.output().includes('Redis did not answer in time'), 15_000);
    process.kill(pid, 'SIGCONT');
    await expectAllPaid(outcomes);
  });
});
