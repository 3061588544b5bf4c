import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { createTestClient, http } from 'viem';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { ask, newBuyer, present, sign } from '../support/payment.js';
import { run } from '../support/run.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SETTLE_MS = 60_000;
/** Time for several payments, should the first ones go to the settlers here. */
const CHOSEN_MS = 120_000;

jest.setTimeout(CHOSEN_MS + SETTLE_MS + 30_000);

/** One sells, the other settles for it: two Tollbooks with books of their own on one chain. */
let seller: App;
let settling: App;
let key: string;

beforeAll(async () => {
  seller = await startApp();
  const { chain } = seller.engines;
  settling = await startApp({ env: { CHAIN_RPC_URL: chain, CHAIN_ID: '84532' } });
  const { accepts } = await ask({ url: `${seller.gateway}/demo/weather` });
  const { asset, network, payTo: payee } = accepts[0];
  const tenant = { host: 'partner.example', upstream: 'https://unused.example', payee, network, asset };
  await put(settling, '/tenants/partner', tenant);
  const headers = { 'idempotency-key': 'one' };
  const issued = await admin(settling, '/tenants/partner/facilitator-keys', { method: 'POST', headers });
  key = JSON.parse(issued.body).key;
  await giveGas();
});

afterAll(async () => {
  await settling?.stop();
  await seller?.stop();
});

async function put(app: App, path: string, body: unknown, headers = {}): Promise<Record<string, unknown>> {
  const reply = await admin(app, path, { method: 'PUT', body, headers });
  if (reply.status > 201) throw new Error(`${reply.status}: ${reply.body}`);
  return JSON.parse(reply.body);
}

/** To the settlers of the one that settles: only it needs any. */
async function giveGas(): Promise<void> {
  const supported = await eventually(async () => {
    const reply = await send({
      url: `${settling.gateway}/facilitator/supported`,
      headers: { authorization: `Bearer ${key}` },
    });
    return reply.status === 200 ? reply : undefined;
  });
  const node = createTestClient({ mode: 'anvil', transport: http(seller.engines.chain) });
  for (const address of JSON.parse(supported!.body).signers['eip155:*']) {
    await node.setBalance({ address, value: 10n ** 20n });
  }
}

async function payment(id: string): Promise<Record<string, unknown>> {
  return JSON.parse((await admin(seller, `/payments/${id}`)).body);
}

async function buy(path: string): Promise<string> {
  const buyer = await newBuyer(seller, 10_000n);
  const call = { url: `${seller.gateway}${path}` };
  const reply = await present(call, await sign(buyer, await ask(call)));
  expect(reply.status).toBe(200);
  return String(reply.headers['tollbook-payment']);
}

interface Page {
  readonly data: readonly { readonly state: string }[];
}

async function verify(app: App): Promise<void> {
  const { chain, postgres } = app.engines;
  const env = { DATABASE_URL: postgres, CHAIN_RPC_URL: chain, TOLLBOOK_DATA_DIR: app.dataDir };
  await eventually(async () => {
    const { code, output } = await run(process.execPath, [join(ROOT, 'dist', 'verify.js')], { cwd: ROOT, env });
    if (code !== 0) throw new Error(output);
    return true;
  }, SETTLE_MS);
}

/** The same gateway by another name of the machine. */
function elsewhere(gateway: string): string {
  return `http://[::1]:${new URL(gateway).port}/Facilitator/`;
}

describe('a tenant whose payments another Tollbook settles', () => {
  const facilitators = () => [
    { url: `${settling.gateway}/facilitator`, authorization: `Bearer ${key}`, allow_private: true },
  ];

  it('says so by REST, and is never told the secret again', async () => {
    const chosen = await put(seller, '/tenants/demo/facilitators', { facilitators: facilitators(), own: 'never' });
    expect(chosen).toMatchObject({ own: 'never', facilitators: [{ authorized: true, health: [] }] });
    const again = await admin(seller, '/tenants/demo/facilitators');
    expect(again.headers.etag).toBe('"1"');
    expect(again.body).not.toContain(key);
    const stale = { method: 'PUT', body: { facilitators: [] }, headers: { 'if-match': '"7"' } };
    expect(codeOf(await admin(seller, '/tenants/demo/facilitators', stale))).toBe('precondition_failed');
    const events = await admin(seller, '/events?type=FacilitatorsChosen');
    expect(events.body).not.toContain(key);
  });

  it.each([
    ['a name that is not there', { facilitators: [{}] }],
    ['a private address', { facilitators: [{ url: 'http://10.0.0.1' }] }],
    ['nobody', { facilitators: [], own: 'never' }],
    ['itself', () => ({ facilitators: [{ url: `${seller.gateway}/facilitator`, allow_private: true }] })],
    ['itself by another name', () => ({ facilitators: [{ url: elsewhere(seller.gateway), allow_private: true }] })],
  ])('refuses %s', async (_, body) => {
    const reply = await admin(seller, '/tenants/demo/facilitators', {
      method: 'PUT',
      body: typeof body === 'function' ? body() : body,
    });
    expect(codeOf(reply)).toBe('invalid_request');
  });

  it.each(['/demo/weather', '/demo/slow'])('is paid for %s by the other, and pays no gas', async (path) => {
    // Workers hear of the choice within two seconds; what was sold before has no delegation. On a busy machine the other may be asked twice.
    await eventually(async () => {
      const id = await buy(path);
      await eventually(async () => (await payment(id)).state === 'settled', SETTLE_MS);
      const { delegations } = (await payment(id)) as { delegations: { facilitator: string }[] };
      const asked = [...new Set(delegations.map(({ facilitator }) => facilitator))];
      return asked.length === 1 && asked[0] === facilitators()[0]!.url;
    }, CHOSEN_MS);
  });

  it('shows how the other does', async () => {
    const { facilitators: shown } = JSON.parse((await admin(seller, '/tenants/demo/facilitators')).body);
    expect(shown[0].health).toMatchObject([{ network: 'eip155:84532', circuit: 'closed' }]);
    expect(shown[0].health[0].requests.settled).toBeGreaterThan(0);
    const metrics = await send({
      url: `${seller.control}/metrics`,
      headers: { authorization: `Bearer ${seller.adminKey}` },
    });
    expect(metrics.body).toMatch(/tollbook_facilitator_requests\{.*result="settled"\} [1-9]/);
    expect(metrics.body).toMatch(/tollbook_facilitator_circuit_open\{.*\} 0/);
    expect(metrics.body).not.toContain(key);
    expect(seller.output()).not.toContain(key);
  });

  it('has its books in order, and the other has settled as many', async () => {
    await verify(seller);
    const states = (JSON.parse((await admin(settling, '/payments?tenant=partner')).body) as Page).data;
    expect(states.map(({ state }) => state)).toEqual(['settled', 'settled']);
  });
});
