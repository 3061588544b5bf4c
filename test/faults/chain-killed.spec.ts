import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { expectBooksInOrder } from './books.js';
import { load, type Outcome, present, signMany } from './customer.js';
import { enginePids } from './engine-pids.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 40;
const LANES = 6;

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(150_000);

let site: Site;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.stop());
beforeEach(() => open(site.main.gateway));

function stateFile(): string {
  return join(site.main.dataDir, 'chain', 'state.json');
}

async function killChain(): Promise<void> {
  process.kill(await eventually(async () => (await enginePids(site.main.dataDir, 'anvil'))[0]), 'SIGKILL');
}

async function expectKept(outcomes: readonly Outcome[]): Promise<void> {
  const ended = await expectBooksInOrder(site.main, site.payee, 90_000);
  const served = outcomes.filter(({ status }) => status === 200);
  expect(served.map(({ ticket }) => ended.get(ticket.id)?.state)).toEqual(served.map(() => 'settled'));
}

describe('the chain', () => {
  it('killed under load: what was delivered is settled when it is back', async () => {
    const tickets = await signMany(site.main.gateway, '/quick', TICKETS);
    let killed: Promise<void> | undefined;
    const outcomes = await load(site.main.gateway, tickets, LANES, (answered) => {
      if (answered === TICKETS / 4) killed = killChain();
    });
    await killed;
    const refused = outcomes.filter(({ status }) => status !== 200);
    expect(refused.map(({ code }) => code)).toEqual(refused.map(() => 'chain_unavailable'));
    await expectKept(outcomes);
  });

  it('killed while it writes its state: it comes back, from a copy if need be', async () => {
    const state = await readFile(stateFile(), 'utf8');
    await writeFile(stateFile(), state.slice(0, state.length / 2));
    await killChain();
    await open(site.main.gateway);
    await expectKept([]);
  });

  it('killed before it wrote any state: it comes back with its token', async () => {
    for (const file of [stateFile(), `${stateFile()}.good`]) await rm(file, { force: true });
    await killChain();
    await open(site.main.gateway);
    const tickets = await signMany(site.main.gateway, '/quick', 2);
    const outcomes = await Promise.all(tickets.map((ticket) => present(site.main.gateway, ticket)));
    expect(outcomes.map(({ status }) => status)).toEqual([200, 200]);
    await expectKept(outcomes);
  });
});
