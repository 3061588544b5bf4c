import { jest } from '@jest/globals';
import { createTestClient, http } from 'viem';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { transfers } from '../support/usdc.js';
import { payments } from './books.js';
import { type Outcome, present, sign, type Ticket } from './customer.js';
import { open, openSite, type Site } from './site.js';

/** A gateway is taken for dead after ten seconds; the sweep and a busy machine need some more. */
const LEASE_MS = 40_000;
const SETTLE_MS = 30_000;

jest.setTimeout(150_000);

let site: Site;
let gateway: App;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.stop());
beforeEach(async () => {
  site.provider.setGate(false);
  gateway = await site.join('gateway');
  await open(gateway.gateway);
  await open(site.main.gateway);
});
afterEach(async () => {
  await holdChain(false);
  site.provider.setGate(false);
  await gateway.kill('SIGKILL');
});

async function holdChain(hold: boolean): Promise<void> {
  const node = createTestClient({ mode: 'anvil', transport: http(site.main.engines.chain) });
  await node.setAutomine(!hold);
  if (!hold) await node.mine({ blocks: 1 });
}

function stand(tickets: readonly Ticket[], states: readonly string[], withinMs: number): Promise<true> {
  return eventually(async () => {
    const rows = new Map((await payments(site.main)).map(({ id, state }) => [id, state]));
    const found = tickets.map(({ id }) => rows.get(id));
    if (found.join() !== states.join()) throw new Error(found.join());
    return true;
  }, withinMs) as Promise<true>;
}

async function begin(): Promise<{ tickets: [Ticket, Ticket]; answers: Promise<Outcome[]> }> {
  const tickets = await Promise.all(['/first', '/first-again'].map((path) => sign(gateway.gateway, path)));
  return {
    tickets: tickets as [Ticket, Ticket],
    answers: Promise.all(tickets.map((one) => present(gateway.gateway, one))),
  };
}

describe('a gateway that dies with payments of mode before', () => {
  it('while they settle, leaves them paid, and another one runs each once', async () => {
    await holdChain(true);
    const { answers, tickets } = await begin();
    await stand(tickets, ['awaiting_settlement', 'awaiting_settlement'], SETTLE_MS);
    await gateway.kill('SIGKILL');
    expect((await answers).map(({ status }) => status)).toEqual(['lost', 'lost']);
    await holdChain(false);
    await stand(tickets, ['paid', 'paid'], SETTLE_MS);
    expect(tickets.map(({ id }) => site.provider.runsOf(id))).toEqual([0, 0]);

    site.provider.setGate(true);
    const repeats = await Promise.all([...tickets, ...tickets].map((one) => present(site.main.gateway, one)));
    expect(repeats.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(tickets.map(({ id }) => site.provider.runsOf(id))).toEqual([1, 1]);
    await stand(tickets, ['settled', 'settled'], SETTLE_MS);
  });

  it('while they run, leaves one owed and runs again only the one that may be', async () => {
    const { answers, tickets } = await begin();
    const [once, again] = tickets;
    await eventually(() => site.provider.waiting() === 2, SETTLE_MS);
    await gateway.kill('SIGKILL');
    expect((await answers).map(({ status }) => status)).toEqual(['lost', 'lost']);
    await stand(tickets, ['refund_owed', 'paid'], LEASE_MS);

    site.provider.setGate(true);
    expect(await present(site.main.gateway, once)).toMatchObject({ status: 502, code: 'refund_owed' });
    expect(await present(site.main.gateway, again)).toMatchObject({ status: 200 });
    expect(tickets.map(({ id }) => site.provider.runsOf(id))).toEqual([1, 2]);
    await stand(tickets, ['refund_owed', 'settled'], SETTLE_MS);
    await eventually(async () => {
      const moved = await transfers(site.main.engines.chain, { to: site.payee });
      const paid = (await payments(site.main)).filter(({ state }) => ['settled', 'refund_owed'].includes(state));
      return moved.length === paid.length;
    }, SETTLE_MS);
  });
});
