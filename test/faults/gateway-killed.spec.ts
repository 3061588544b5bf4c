import { jest } from '@jest/globals';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { transfers } from '../support/usdc.js';
import { expectBooksInOrder, held, payments } from './books.js';
import { type Outcome, present, sign, signMany, type Ticket } from './customer.js';
import { PRICE } from './market.js';
import { open, openSite, type Site } from './site.js';

/** A gateway is taken for dead after ten seconds; the sweep and a busy machine need some more. */
const LEASE_MS = 25_000;

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(150_000);

let site: Site;
let gateway: App;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.stop());
beforeEach(async () => {
  gateway = await site.join('gateway');
  await open(gateway.gateway);
  await open(site.main.gateway);
  await eventually(async () => (await payments(site.main)).every(({ state }) => state !== 'delivered'));
});
afterEach(async () => {
  site.provider.setGate(false);
  await gateway.kill('SIGKILL');
});

async function begin(paths: readonly string[]): Promise<{ tickets: Ticket[]; answers: Promise<Outcome[]> }> {
  const tickets = await Promise.all(paths.map((path) => sign(gateway.gateway, path)));
  const answers = Promise.all(tickets.map((ticket) => present(gateway.gateway, ticket)));
  await eventually(() => site.provider.waiting() === paths.length);
  return { tickets, answers };
}

function interrupted(tickets: readonly Ticket[]): Promise<true> {
  return eventually(async () => {
    const states = new Map((await payments(site.main)).map(({ id, state }) => [id, state]));
    return tickets.every(({ id }) => states.get(id) === 'interrupted');
  }, LEASE_MS) as Promise<true>;
}

describe('a gateway that dies in the middle of a delivery', () => {
  it('leaves nothing charged, and another one runs again only what may be run again', async () => {
    const { tickets, answers } = await begin(['/gate', '/stream', '/again']);
    const [once, stream, again] = tickets as [Ticket, Ticket, Ticket];
    expect(await held(site.main.engines.postgres)).toBeGreaterThanOrEqual(3n * PRICE);
    await gateway.kill('SIGKILL');
    expect((await answers).map(({ status }) => status)).toEqual(['lost', 'lost', 'lost']);
    await interrupted(tickets);
    await expectBooksInOrder(site.main, site.payee);
    const before = (await transfers(site.main.engines.chain, { to: site.payee })).length;

    site.provider.setGate(true);
    for (const ticket of [once, stream, once]) {
      expect(await present(site.main.gateway, ticket)).toMatchObject({ status: 409, code: 'delivery_interrupted' });
    }
    const repeats = await Promise.all([1, 2, 3].map(() => present(site.main.gateway, again)));
    expect(repeats.map(({ status }) => status)).toEqual([200, 200, 200]);

    await expectBooksInOrder(site.main, site.payee);
    expect((await transfers(site.main.engines.chain, { to: site.payee })).length).toBe(before + 1);
    expect(tickets.map(({ id }) => site.provider.runsOf(id))).toEqual([1, 1, 2]);
  });

  it('cannot finish late what was taken from it while it stood still', async () => {
    const { tickets, answers } = await begin(['/gate', '/stream', '/again']);
    const again = tickets[2]!;
    process.kill(gateway.pid, 'SIGSTOP');
    await interrupted(tickets);
    site.provider.setGate(true);
    expect(await present(site.main.gateway, again)).toMatchObject({ status: 200 });
    process.kill(gateway.pid, 'SIGCONT');

    const [late, streamed, lateAgain] = (await answers) as [Outcome, Outcome, Outcome];
    expect(late).toMatchObject({ status: 409, code: 'delivery_interrupted' });
    expect(streamed.status).toBe('lost');
    expect(lateAgain.status).not.toBe(200);
    const ended = await expectBooksInOrder(site.main, site.payee);
    expect(tickets.map(({ id }) => ended.get(id)!.state)).toEqual(['interrupted', 'interrupted', 'settled']);
    // It is back for good: what it takes from now on is its own again.
    const fresh = await signMany(gateway.gateway, '/quick', 3);
    const served = await Promise.all(fresh.map((ticket) => present(gateway.gateway, ticket)));
    expect(served.map(({ status }) => status)).toEqual([200, 200, 200]);
    await expectBooksInOrder(site.main, site.payee);
  });
});
