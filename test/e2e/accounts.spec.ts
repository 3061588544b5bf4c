import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { answered, commitTo, openAccount } from '../support/committing.js';
import { eventually } from '../support/eventually.js';
import { send } from '../support/http.js';
import { countingUpstream } from '../support/upstream.js';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app?.stop());

const publicJwk = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const parsed = async (path: string) => JSON.parse((await admin(app, path)).body);
let keys = 0;

async function open(body: object = {}): Promise<string> {
  const headers = { 'idempotency-key': `open-${keys++}` };
  const { body: text, status } = await admin(app, '/accounts/demo', { method: 'POST', body, headers });
  expect([status, text]).toEqual([201, expect.any(String)]);
  return `/accounts/demo/${JSON.parse(text).customer}`;
}

describe('accounts over REST', () => {
  it('are opened once for one Idempotency-Key, and listed by tenant', async () => {
    const call = { method: 'POST', body: { credit_line: '7' }, headers: { 'idempotency-key': 'the-same' } };
    const [first, second] = [await admin(app, '/accounts/demo', call), await admin(app, '/accounts/demo', call)];
    expect(second.body).toBe(first.body);
    const { customer } = JSON.parse(first.body);
    const { data } = await parsed('/accounts?tenant=demo&limit=200');
    expect(data.filter((one: { customer: string }) => one.customer === customer)).toHaveLength(1);
    expect((await parsed('/accounts?tenant=nobody')).data).toEqual([]);
    expect((await admin(app, '/accounts/demo', { method: 'POST', body: {} })).status).toBe(400);
    const nowhere = { ...call, headers: { 'idempotency-key': 'nowhere' } };
    expect((await admin(app, '/accounts/nobody', nowhere)).status).toBe(404);
  });

  it('change under a condition, and tell the version', async () => {
    const path = await open();
    const { headers, status } = await admin(app, path);
    expect([status, headers.etag]).toEqual([200, '"1"']);
    const body = { credit_line: '500' };
    const set = await admin(app, `${path}/credit-line`, { method: 'PUT', body, headers: { 'if-match': '"1"' } });
    expect([set.status, set.headers.etag, JSON.parse(set.body).credit_line]).toEqual([200, '"2"', '500']);
    const late = { method: 'PUT', body: { credit_line: '1' }, headers: { 'if-match': '"1"' } };
    expect((await admin(app, `${path}/credit-line`, late)).status).toBe(412);
    await admin(app, `${path}/billing`, { method: 'PUT', body: { time_zone: 'Asia/Kathmandu' } });
    await admin(app, `${path}/way-to-pay`, { method: 'PUT', body: { method: 'card', reference: 'pm_1' } });
    expect(await parsed(path)).toMatchObject({
      ...{ credit_line: '500', time_zone: 'Asia/Kathmandu', way_to_pay: { method: 'card', reference: 'pm_1' } },
    });
  });

  it('have keys, of which none is of two accounts, and none comes back', async () => {
    const [path, other] = [await open(), await open()];
    const body = { jwk: publicJwk() };
    const added = await admin(app, `${path}/keys`, { method: 'POST', body });
    const { id } = JSON.parse(added.body);
    expect((await admin(app, `${path}/keys`, { method: 'POST', body })).body).toBe(added.body);
    expect((await parsed(`${path}/keys`)).data).toMatchObject([{ id, source: 'provider' }]);
    const taken = await admin(app, `${other}/keys`, { method: 'POST', body });
    expect([taken.status, JSON.parse(taken.body).code]).toEqual([409, 'signing_key_taken']);
    expect((await admin(app, `${path}/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await parsed(`${path}/keys`)).data).toEqual([]);
    const back = await admin(app, `${path}/keys`, { method: 'POST', body });
    expect([back.status, JSON.parse(back.body).code]).toEqual([409, 'signing_key_revoked']);
  });

  it('have wallets, each of one account', async () => {
    const [path, other] = [await open(), await open()];
    const wallet = `wallets/0x${'E5'.repeat(20)}`;
    for (let time = 0; time < 2; time++)
      expect((await admin(app, `${path}/${wallet}`, { method: 'PUT' })).status).toBe(204);
    expect((await parsed(`${path}/wallets`)).data).toEqual([`0x${'e5'.repeat(20)}`]);
    const taken = await admin(app, `${other}/${wallet}`, { method: 'PUT' });
    expect([taken.status, JSON.parse(taken.body).code]).toEqual([409, 'wallet_taken']);
    expect((await admin(app, `${path}/${wallet}`, { method: 'DELETE' })).status).toBe(204);
    expect((await admin(app, `${other}/${wallet}`, { method: 'PUT' })).status).toBe(204);
  });

  it('take the keys of a directory, and not again at once', async () => {
    const keys = [publicJwk()];
    const directory = await countingUpstream((_request, reply) => reply.end(JSON.stringify({ keys })));
    try {
      const path = await open();
      const put = (body: object) => admin(app, `${path}/key-directory`, { method: 'PUT', body });
      expect((await put({ origin: directory.url })).status).toBe(400);
      expect((await put({ origin: directory.url, allow_private: true })).status).toBe(200);
      const refreshed = await admin(app, `${path}/key-directory/refresh`, { method: 'POST' });
      expect([refreshed.status, JSON.parse(refreshed.body).data]).toMatchObject([200, [{ source: 'directory' }]]);
      const soon = await admin(app, `${path}/key-directory/refresh`, { method: 'POST' });
      expect([soon.status, soon.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
      expect((await admin(app, `${path}/key-directory`, { method: 'DELETE' })).status).toBe(204);
      expect((await admin(app, `${path}/key-directory`)).status).toBe(404);
    } finally {
      await directory.stop();
    }
  });

  it.each([
    ['', 'credit-line', { credit_line: '-1' }],
    ['', 'credit-line', { credit_line: 5 }],
    ['', 'billing', { time_zone: '+01:00' }],
    ['', 'way-to-pay', { method: 'transfer', reference: 'pm_1' }],
    ['', 'way-to-pay', { method: 'card', reference: '4242 4242 4242 4242' }],
    ['', 'suspension', { reason: 'because' }],
  ])('refuse%s %s %j', async (_, part, body) => {
    const path = await open();
    expect((await admin(app, `${path}/${part}`, { method: 'PUT', body })).status).toBe(400);
  });

  it('refuse private keys, and accounts that nobody opened', async () => {
    const path = await open();
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const { body, status } = await admin(app, `${path}/keys`, { method: 'POST', body: { jwk } });
    expect([status, body]).toEqual([400, expect.stringContaining('send the public one')]);
    expect(body).not.toContain(jwk.d);
    const nobody = '/accounts/demo/cus_000000000000000000000000';
    for (const part of ['', '/balance', '/keys', '/wallets']) {
      expect((await admin(app, `${nobody}${part}`)).status).toBe(404);
    }
    const line = { method: 'PUT', body: { credit_line: '1' } };
    expect((await admin(app, `${nobody}/credit-line`, line)).status).toBe(404);
    expect((await admin(app, '/accounts/demo/cus_1')).status).toBe(400);
  });
});

it('shows what was signed for on account, with the evidence', async () => {
  const holder = await openAccount(app, 'demo', 1_000_000n);
  const call = { url: `${app.gateway}/demo/weather` };
  // The gateway hears of a new account a moment later.
  const reply = await eventually(async () => {
    const tried = await send(await commitTo(holder, call));
    return tried.status === 200 && tried;
  });
  const { transaction: id } = answered(reply);
  const list = `/commitments?customer=${holder.customer}&state=delivered`;
  const { data } = await eventually(async () => {
    const page = await parsed(list);
    return page.data.length === 1 && page;
  });
  expect(data).toMatchObject([{ id, tenant: 'demo', amount: '1000', charged: '1000', http_status: 200 }]);
  const { evidence, key, resource } = await parsed(`/commitments/${id}`);
  expect([key, resource]).toEqual([holder.keyId, call.url]);
  const { kty, crv, x } = holder.key as { kty: string; crv: string; x: string };
  const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
  const { signature, signature_base: base } = evidence;
  expect(verify(null, Buffer.from(base), publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  expect((await parsed(`${list}&tenant=nobody`)).data).toEqual([]);
  expect((await admin(app, '/commitments/com_none')).status).toBe(404);
  expect((await admin(app, '/commitments?state=odd')).status).toBe(400);
});
