import { jest } from '@jest/globals';
import { sql } from '../embedded/support.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { scale, seeds } from '../support/long.js';
import { expectBooksInOrder } from './books.js';
import { load, seeded, signMany } from './customer.js';
import { open, openSite, type Site } from './site.js';

const TICKETS = 40;
const LANES = 6;

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(scale(150_000, 900_000));

let site: Site;
let gateway: App;

beforeAll(async () => {
  // The engines and the demo are the control process's, so that the worker can die alone.
  site = await openSite('control');
  gateway = await site.join('gateway');
});
afterAll(() => site?.stop());

/** How many settlements have begun: transactions signed, and payments whose submission is in the log. */
async function progress(): Promise<number> {
  const [row] = await sql(
    site.main.engines.postgres,
    `select (select count(*) from settlement_transactions) + (select count(*) from events
       where type in ('SettlementSubmitted', 'PaymentSettled')) as steps`,
  );
  return Number(row!.steps);
}

describe('a worker killed between delivery and settlement', () => {
  it('leaves work that its successor settles exactly once', async () => {
    let worker = await site.join('worker');
    await open(gateway.gateway);
    const acknowledged: string[] = [];
    for (const seed of seeds(2, 12)) {
      const tickets = await signMany(gateway.gateway, '/quick', TICKETS);
      const strike = (await progress()) + seeded(seed, TICKETS);
      const served = load(gateway.gateway, tickets, LANES);
      await eventually(async () => (await progress()) >= strike);
      await worker.kill('SIGKILL');
      for (const { status, ticket } of await served) {
        expect(status).toBe(200);
        acknowledged.push(ticket.id);
      }
      worker = await site.join('worker');
    }
    const ended = await expectBooksInOrder(site.main, site.payee);
    expect(acknowledged.map((id) => ended.get(id)?.state)).toEqual(acknowledged.map(() => 'settled'));
  });

  it('is not needed for delivering, and one that comes later settles all', async () => {
    const alone = await site.join('gateway');
    await open(alone.gateway);
    const tickets = await signMany(alone.gateway, '/quick', 20);
    const outcomes = await load(alone.gateway, tickets, LANES);
    expect(outcomes.map(({ status }) => status)).toEqual(tickets.map(() => 200));
    await expectBooksInOrder(site.main, site.payee);
  });
});
