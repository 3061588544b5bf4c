import { jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { scale, seeds } from '../support/long.js';
import { expectBooksInOrder } from './books.js';
import { load, type Outcome, present, seeded, sign, signMany } from './customer.js';
import { enginePids } from './engine-pids.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 100;
const LANES = 12;

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(scale(150_000, 900_000));

let site: Site;
let killed: Promise<void> | undefined;

beforeAll(async () => {
  site = await openSite();
  await open(site.main.gateway);
});
afterAll(() => site?.stop());

async function killPostgres(): Promise<void> {
  const pids = await enginePids(site.main.dataDir, 'postgres');
  expect(pids).toHaveLength(1);
  process.kill(pids[0]!, 'SIGKILL');
}

async function serves(): Promise<void> {
  await eventually(async () => (await fetch(`${site.main.gateway}/health/ready`)).status === 200, 30_000);
}

function byStatus(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code, status } of outcomes) {
    const key = code ?? String(status);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

describe('Postgres killed under load', () => {
  it('loses no acknowledged payment, gives no answer away, and comes back', async () => {
    const outcomes: Outcome[] = [];
    for (const seed of seeds(2, 12)) {
      await serves();
      await open(site.main.gateway);
      const tickets = await signMany(site.main.gateway, '/quick', TICKETS);
      const strike = seeded(seed, TICKETS / 2);
      const served = load(site.main.gateway, tickets, LANES, (answered) => {
        if (answered === strike) killed = killPostgres();
      });
      outcomes.push(...(await served));
      await killed;
    }
    await serves();
    const { 200: answered = 0, store_unavailable: refused = 0, ...others } = byStatus(outcomes);
    // Most wait out a short outage; nobody gets anything but the answer or that refusal.
    expect(others).toEqual({});
    expect(answered).toBeGreaterThan(0);
    expect(answered + refused).toBe(outcomes.length);

    const ended = await expectBooksInOrder(site.main, site.payee);
    for (const { status, ticket } of outcomes) {
      if (status === 200) expect(ended.get(ticket.id)).toMatchObject({ state: 'settled' });
    }
    await expectRepeatsAgree(
      outcomes.filter(({ status }) => status !== 200),
      ended,
    );
    await expectBooksInOrder(site.main, site.payee);
    for (const { ticket } of outcomes) expect(site.provider.runsOf(ticket.id)).toBeLessThanOrEqual(1);
  });

  it('leaves no answer that is under way hanging, and charges for it exactly if it was given', async () => {
    await open(site.main.gateway);
    const tickets = await Promise.all(['/gate', '/stream'].map((path) => sign(site.main.gateway, path)));
    const answers = Promise.all(tickets.map((ticket) => present(site.main.gateway, ticket)));
    await eventually(() => site.provider.waiting() === tickets.length);
    await killPostgres();
    site.provider.setGate(true);
    const outcomes = await answers;
    site.provider.setGate(false);
    await serves();
    const ended = await expectBooksInOrder(site.main, site.payee);
    for (const { code, status, ticket } of outcomes) {
      // How long Postgres stays away decides which of them it is.
      if (status === 200) expect(ended.get(ticket.id)?.state).toBe('settled');
      else expect(['store_unavailable', 'lost']).toContain(code ?? status);
    }
    await expectRepeatsAgree(
      outcomes.filter(({ status }) => status !== 200),
      ended,
    );
  });
});

/** Who got no answer asks again: charged means answered, and what was not taken is taken now. */
async function expectRepeatsAgree(
  outcomes: readonly Outcome[],
  ended: Awaited<ReturnType<typeof expectBooksInOrder>>,
): Promise<void> {
  const repeats = await Promise.all(outcomes.map(({ ticket }) => present(site.main.gateway, ticket)));
  for (const { code, status, ticket } of repeats) {
    const state = ended.get(ticket.id)?.state;
    if (state === 'interrupted') expect({ status, code }).toEqual({ status: 409, code: 'delivery_interrupted' });
    else expect({ state, status }).toEqual({ state, status: 200 });
  }
}
