import { jest } from '@jest/globals';
import pg from 'pg';
import { creditKey } from '../../src/domains/limits/credit.js';
import type { App } from '../support/app.js';
import { acceptsOf, answered, commitTo, type Holder, openAccount } from '../support/committing.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { PRICE, TENANT } from './market.js';
import { open, openSite, type Site } from './site.js';

/** A gateway is taken for dead after ten seconds; the sweep and a busy machine need some more. */
const LEASE_MS = 40_000;

jest.setTimeout(150_000);

let site: Site;
let gateway: App;
let pool: pg.Pool;
let holder: Holder;

beforeAll(async () => {
  site = await openSite();
  pool = new pg.Pool({ connectionString: site.main.engines.postgres, max: 2 });
  // Enough for two at the same time.
  holder = await openAccount(site.main, TENANT, 2n * PRICE);
  gateway = await site.join('gateway');
  for (const one of [gateway, site.main]) {
    await open(one.gateway);
    await eventually(async () => acceptsOf(await send(call(one, '/quick'))).length === 2);
  }
});
afterAll(async () => {
  await pool?.end();
  await site?.stop();
});

function call({ gateway: url }: App, path: string) {
  // What is signed names the authority, and both gateways are one.
  return { url: url.replace('localhost', '127.0.0.1') + path, headers: { host: '127.0.0.1' } };
}

async function owed(): Promise<bigint> {
  const { rows } = await pool.query('select held from hold_totals where key = $1', [
    creditKey(TENANT, holder.customer),
  ]);
  return BigInt(rows[0]?.held ?? 0);
}

const runs = (reply: Reply) => site.provider.runsOf(answered(reply).transaction!);

describe('a gateway that dies in the middle of commitments', () => {
  it('leaves nothing owed for what it did not deliver, and runs none of it again', async () => {
    const delivered = await send(await commitTo(holder, call(gateway, '/quick')));
    expect([delivered.status, await owed(), runs(delivered)]).toEqual([200, PRICE, 1]);
    const presented = await commitTo(holder, call(gateway, '/gate'));
    const lost = send(presented).catch(() => undefined);
    await eventually(() => site.provider.waiting() === 1);
    expect(await owed()).toBe(2n * PRICE);
    // The line is used up by what runs and what is owed.
    expect((await send(await commitTo(holder, call(site.main, '/quick')))).status).toBe(402);
    await gateway.kill('SIGKILL');
    expect(await lost).toBeUndefined();
    await eventually(async () => (await owed()) === PRICE, LEASE_MS);
    const again = await send({ ...presented, url: call(site.main, '/gate').url });
    expect([again.status, codeOf(again)]).toEqual([409, 'delivery_interrupted']);
    // The list is a moment behind the log.
    await eventually(async () => {
      const { rows } = await pool.query('select state, charged from commitments order by position');
      expect(rows).toEqual([
        { state: 'delivered', charged: `${PRICE}` },
        { state: 'interrupted', charged: null },
      ]);
      return true;
    });
    expect((await send(await commitTo(holder, call(site.main, '/quick')))).status).toBe(200);
    expect(await owed()).toBe(2n * PRICE);
  });
});
