import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { killEngines } from '../embedded/support.js';
import { eventually } from '../support/eventually.js';
import { scale, seeds } from '../support/long.js';
import { expectBooksInOrder } from './books.js';
import { load, type Outcome, present, seeded, signMany } from './customer.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 60;
const LANES = 6;

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(scale(150_000, 900_000));

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.stop());
beforeEach(() => open(site.main.gateway));

async function killEverything(): Promise<void> {
  await Promise.all([site.main.kill('SIGKILL'), killEngines(site.main.dataDir)]);
}

async function expectKept(outcomes: readonly Outcome[]): Promise<void> {
  const ended = await expectBooksInOrder(site.main, site.payee);
  const served = outcomes.filter(({ status }) => status === 200);
  expect(served.map(({ ticket }) => ended.get(ticket.id)?.state)).toEqual(served.map(() => 'settled'));
}

describe('Tollbook and all its engines killed at once', () => {
  it.each(seeds(1, 6))('continue under load with everything that was acknowledged (seed %i)', async (seed) => {
    const tickets = await signMany(site.main.gateway, '/quick', TICKETS);
    let killed: Promise<void> | undefined;
    const outcomes = await load(site.main.gateway, tickets, LANES, (answered) => {
      if (answered === seeded(seed, TICKETS / 2)) killed = killEverything();
    });
    await killed;
    expect(outcomes.filter(({ status }) => status === 'lost').length).toBeGreaterThan(0);

    await site.restart();
    await expectKept(outcomes);
    const lost = outcomes.filter(({ status }) => status !== 200);
    const repeats = await Promise.all(lost.map(({ ticket }) => present(site.main.gateway, ticket)));
    for (const { code, status, ticket } of repeats) {
      // Taken and not delivered when everything died, or delivered, or never taken and so bought now.
      if (status !== 200) expect({ status, code }).toEqual({ status: 409, code: 'delivery_interrupted' });
      expect(site.provider.runsOf(ticket.id)).toBeLessThanOrEqual(1);
    }
    await expectKept([...outcomes, ...repeats]);
  });

  it('settle again what the chain lost of its last blocks', async () => {
    const state = join(site.main.dataDir, 'chain', 'state.json');
    const earlier = `${state}.earlier`;
    await eventually(async () => {
      await copyFile(state, earlier);
      return 'block' in JSON.parse(await readFile(earlier, 'utf8'));
    });
    const tickets = await signMany(site.main.gateway, '/quick', 20);
    const outcomes = await load(site.main.gateway, tickets, LANES);
    await expectKept(outcomes);
    await killEverything();
    await copyFile(earlier, state);

    await site.restart();
    expect(outcomes.map(({ status }) => status)).toEqual(tickets.map(() => 200));
    await expectKept(outcomes);
  });
});
