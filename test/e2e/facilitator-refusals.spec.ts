import type { LocalAccount } from 'viem';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { codeOf } from '../support/http.js';
import { addressOf, newBuyer } from '../support/payment.js';
import { issueKey, SellingServer } from '../support/selling-server.js';
import { startSibling } from '../support/sibling.js';

const STRANGER = '0x00000000000000000000000000000000000000aa';

let app: App;
let other: App;
let books: Books;
let shop: SellingServer;

beforeAll(async () => {
  app = await startApp();
  other = await startSibling(app, 'gateway');
  books = new Books(app.engines);
  shop = await SellingServer.of(app);
});

afterAll(async () => {
  await books?.close();
  await other?.stop();
  await app?.stop();
});

describe('what is not to be paid', () => {
  let buyer: LocalAccount;

  beforeAll(async () => {
    buyer = await newBuyer(app, 10_000n);
  });

  const soon = () => String(Math.floor(Date.now() / 1000) + 3);
  const cases: [string, () => Promise<unknown>, string][] = [
    ['another payee', () => shop.bodyV2(buyer, {}, { payTo: STRANGER }), 'invalid_payment_requirements'],
    [
      'a payment to another',
      () => shop.bodyV2(buyer, { to: STRANGER }),
      'invalid_exact_evm_payload_recipient_mismatch',
    ],
    ['another asset', () => shop.bodyV2(buyer, {}, { asset: STRANGER }), 'invalid_payment_requirements'],
    ['another network', () => shop.bodyV2(buyer, {}, { network: 'eip155:8453' }), 'invalid_network'],
    ['less', () => shop.bodyV2(buyer, { value: '1' }), 'invalid_exact_evm_payload_authorization_value_mismatch'],
    [
      'what lapses before it is settled',
      () => shop.bodyV2(buyer, { validBefore: soon() }),
      'invalid_exact_evm_payload_authorization_valid_before',
    ],
    [
      'what is not valid yet',
      () => shop.bodyV2(buyer, { validAfter: String(Math.floor(Date.now() / 1000) + 60) }),
      'invalid_exact_evm_payload_authorization_valid_after',
    ],
    [
      'a signature by somebody else',
      async () => shop.bodyV2(await newBuyer(app, 0n), { from: addressOf(buyer) }),
      'invalid_exact_evm_payload_signature',
    ],
    ['more than there is', async () => shop.bodyV2(await newBuyer(app, 10n)), 'insufficient_funds'],
    [
      'terms that the client did not accept',
      async () => ({ ...(await shop.bodyV2(buyer)), paymentRequirements: { ...shop.accept, amount: '1' } }),
      'invalid_payment_requirements',
    ],
    ['two versions', async () => ({ ...(await shop.bodyV2(buyer)), x402Version: 1 }), 'invalid_x402_version'],
    [
      'no payment',
      async () => ({ x402Version: 2, paymentPayload: {}, paymentRequirements: shop.accept }),
      'invalid_payload',
    ],
    ['no object', async () => [], 'invalid_payload'],
    [
      'another scheme',
      async () => ({ ...(await shop.bodyV2(buyer)), paymentRequirements: { ...shop.accept, scheme: 'upto' } }),
      'invalid_payment_requirements',
    ],
  ];

  it.each(cases)('%s is not verified and not settled', async (_, make, reason) => {
    const body = await make();
    const verified = await shop.told('verify', body);
    expect(verified).toMatchObject({ isValid: false, invalidReason: reason, invalidMessage: expect.any(String) });
    expect(await shop.told('settle', body)).toMatchObject({ success: false, errorReason: reason, transaction: '' });
    expect(await books.admissionsOf(addressOf(buyer))).toBe(0);
  });

  it('a signature with a digit changed is never verified', async () => {
    const body = await shop.bodyV2(buyer);
    const { signature } = body.paymentPayload.payload;
    for (let at = 0; at < 60; at++) {
      const digit = signature[2 + at * 2] === '0' ? '1' : '0';
      const forged = `0x${signature.slice(2, 2 + at * 2)}${digit}${signature.slice(3 + at * 2)}`;
      const payload = { ...body.paymentPayload.payload, signature: forged };
      const reply = await shop.told('verify', { ...body, paymentPayload: { ...body.paymentPayload, payload } });
      expect(reply).toMatchObject({ isValid: false, invalidReason: 'invalid_exact_evm_payload_signature' });
    }
  });

  it('a denied payer is not verified and not settled', async () => {
    const denied = await newBuyer(app, 10_000n);
    const path = `/customers/demo/${addressOf(denied)}/standing`;
    await admin(app, path, { method: 'PUT', body: { standing: 'denied', reason: 'abuse' } });
    const body = await shop.bodyV2(denied);
    expect(await shop.told('settle', body)).toMatchObject({ success: false, errorReason: 'payer_denied' });
    await eventually(async () => (await shop.told('verify', body)).invalidReason === 'payer_denied');
    expect(await books.admissionsOf(addressOf(denied))).toBe(0);
  });
});

describe('without a good key', () => {
  it('nobody is told anything', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const body = await shop.bodyV2(buyer);
    const last = shop.key.at(-1) === 'A' ? 'B' : 'A';
    const bad = ['', 'x', `${shop.key.slice(0, -1)}${last}`, `tbk_${shop.key.slice(4)}`, app.adminKey];
    for (const bearer of bad) {
      for (const [path, sent] of [
        ['supported', undefined],
        ['verify', body],
        ['settle', body],
      ] as const) {
        const reply = await shop.call(path, sent, { bearer });
        expect([reply.status, codeOf(reply)]).toEqual([401, 'facilitator_key_required']);
      }
    }
    expect(await books.admissionsOf(addressOf(buyer))).toBe(0);
  });

  it('a key is changed for another without a gap, and the old one ends with its revocation', async () => {
    const [old, next] = [await issueKey(app), await issueKey(app)];
    for (const { key: bearer } of [old, next])
      expect((await shop.call('supported', undefined, { bearer })).status).toBe(200);
    const path = `/tenants/demo/facilitator-keys/${old.id}`;
    expect((await admin(app, path, { method: 'DELETE' })).status).toBe(204);
    for (const at of [app, other])
      expect((await shop.call('supported', undefined, { bearer: old.key, at })).status).toBe(401);
    expect((await shop.call('supported', undefined, { bearer: next.key, at: other })).status).toBe(200);
    const list = JSON.parse((await admin(app, '/tenants/demo/facilitator-keys')).body).data as { id: string }[];
    expect(list.map(({ id }) => id)).not.toContain(old.id);
    expect(await books.textOf('events')).not.toContain(next.key);
  });
});
