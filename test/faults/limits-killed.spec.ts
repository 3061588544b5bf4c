import { jest } from '@jest/globals';
import { admin } from '../support/admin.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { expectBooksInOrder, payments } from './books.js';
import { verify } from './commands.js';
import { type Outcome, present, sign, type Ticket } from './customer.js';
import { TENANT } from './market.js';
import { open, openSite, type Site } from './site.js';

/** A gateway is taken for dead after ten seconds; the sweep and a busy machine need some more. */
const LEASE_MS = 25_000;

jest.setTimeout(150_000);

let site: Site;
let gateway: App;

beforeAll(async () => {
  site = await openSite();
  await open(site.main.gateway);
  // Before it starts: then the gateway that will be killed knows the limits.
  for (const [id, window] of [
    ['month', { kind: 'calendar', unit: 'month', timeZone: new Date().getUTCDate() < 15 ? 'UTC' : 'Etc/GMT+12' }],
    ['rolled', { kind: 'rolling', seconds: 86_400 }],
  ] as const) {
    const rules = { measure: 'requests', per: 'tenant', quantity: '3', routes: ['gate', 'again'], window };
    const { status } = await admin(site.main, `/limits/${TENANT}/${id}`, { method: 'PUT', body: rules });
    expect(status).toBe(201);
  }
  gateway = await site.join('gateway');
  await open(gateway.gateway);
});
afterAll(() => site?.stop());

async function used(id: string): Promise<string> {
  const { body } = await admin(site.main, `/limits/${TENANT}/${id}/usage`);
  return (JSON.parse(body) as { data: { used: string }[] }).data[0]?.used ?? '0';
}

async function expectUsed(count: string): Promise<void> {
  expect([await used('month'), await used('rolled')]).toEqual([count, count]);
}

const states = async () => new Map((await payments(site.main)).map(({ id, state }) => [id, state]));
const attempt = async (where: App, path: string): Promise<Outcome> =>
  present(where.gateway, await sign(where.gateway, path));

it('a gateway that is killed between hold and capture leaves neither counted nor free what it should not', async () => {
  const tickets = await Promise.all(['/gate', '/gate', '/again'].map((path) => sign(gateway.gateway, path)));
  const answers = Promise.all(tickets.map((ticket) => present(gateway.gateway, ticket)));
  await eventually(() => site.provider.waiting() === 3);
  await expectUsed('3');
  const refused = await sign(gateway.gateway, '/gate');
  expect(await present(gateway.gateway, refused)).toMatchObject({ status: 429, code: 'quota_exceeded' });

  await gateway.kill('SIGKILL');
  expect((await answers).map(({ status }) => status)).toEqual(['lost', 'lost', 'lost']);
  // Held until it is known that nobody delivers any more.
  await eventually(async () => {
    const now = await states();
    return tickets.every(({ id }) => now.get(id) === 'interrupted');
  }, LEASE_MS);
  await expectUsed('0');

  site.provider.setGate(true);
  const again = tickets[2] as Ticket;
  expect(await present(site.main.gateway, refused)).toMatchObject({ status: 200 });
  expect(await present(site.main.gateway, again)).toMatchObject({ status: 200 });
  await expectUsed('2');
  expect((await attempt(site.main, '/gate')).status).toBe(200);
  expect(await attempt(site.main, '/gate')).toMatchObject({ status: 429, code: 'quota_exceeded' });
  // A repeat is not counted again, nor refused.
  expect(await present(site.main.gateway, again)).toMatchObject({ status: 200 });
  await expectUsed('3');

  await expectBooksInOrder(site.main, site.payee);
  const checked = await verify(site.main.dataDir, ['--only', 'holds']);
  expect(checked).toMatchObject({ failed: [] });
});
