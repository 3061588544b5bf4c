import { createHash } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import type { StoredEvent } from '../../base/event-store/event.js';
import { canonicalJson, type JsonObject } from '../../base/shared/json.js';
import type { PaymentAuthorized, PaymentEvent } from '../payments/payment.js';
import { receiptOf } from './receipt.js';
import { ReceiptSigner } from './receipt-signer.js';

const ID = `pay_${'5'.repeat(32)}` as const;
const SECRETS = {
  quote: 'quote-id-secret',
  payloadDigest: 'payload-secret',
  gateway: 'gw-secret',
  identifier: 'identifier-secret',
  holds: [{ key: 'hold-secret', amount: '31415' }],
};
const authorized: PaymentAuthorized = {
  type: 'PaymentAuthorized',
  schema: 4,
  data: {
    tenant: 'demo',
    route: 'query',
    method: 'POST',
    resource: 'http://localhost:4020/demo/query',
    requestDigest: 'request-digest',
    x402Version: 2,
    terms: {
      network: 'eip155:84532',
      asset: `0x${'a1'.repeat(20)}`,
      payer: `0x${'c4'.repeat(20)}`,
      payee: `0x${'b2'.repeat(20)}`,
      amount: '700',
      validAfter: '0',
      validBefore: '1790000600',
      nonce: `0x${'77'.repeat(32)}`,
    },
    tariff: { id: 'query', version: 3 },
    units: '20',
    authorizedAt: '1790000000',
    mode: 'async',
    idempotent: false,
    ...SECRETS,
  },
};
const delivered: PaymentEvent = {
  type: 'RequestDelivered',
  schema: 1,
  data: { status: 200, responseDigest: 'response-digest', bytes: 42, latencyMs: 7, kept: true },
};
const failed: PaymentEvent = {
  type: 'DeliveryFailed',
  schema: 1,
  data: { reason: 'upstream_error', status: 500, kept: false, latencyMs: 1 },
};
const transaction = `0x${'dd'.repeat(32)}` as const;
const blockHash = `0x${'ee'.repeat(32)}` as const;
const submitted: PaymentEvent = {
  type: 'SettlementSubmitted',
  schema: 1,
  data: { transaction, settler: `0x${'e5'.repeat(20)}`, attempt: 1 },
};
const settled: PaymentEvent = {
  type: 'PaymentSettled',
  schema: 1,
  data: { transaction, blockNumber: '12', blockHash, logIndex: 3, by: 'settler' },
};
const unsettled: PaymentEvent = { type: 'PaymentSettlementFailed', schema: 1, data: { reason: 'insufficient_funds' } };
const reverted: PaymentEvent = { type: 'SettlementReverted', schema: 1, data: { transaction, blockHash } };

const signer = new ReceiptSigner('http://localhost:4020', [`0x${'01'.repeat(32)}`]);

function stored(...events: PaymentEvent[]): StoredEvent[] {
  return events.map((event, index) => ({
    ...event,
    data: event.data as unknown as JsonObject,
    position: 100n + BigInt(index),
    stream: `payment/${ID}`,
    version: index + 1,
    tenant: 'demo',
    occurredAt: new Date(1_790_000_000_000 + index),
  }));
}

const receiptFor = (...events: PaymentEvent[]) => receiptOf(ID, stored(...events), signer)!;
const digestOf = ({ data }: PaymentEvent) =>
  createHash('sha256')
    .update(canonicalJson(data as unknown as JsonObject))
    .digest('base64url');
const officialPayload = (signature: string) =>
  JSON.parse(Buffer.from(signature.split('.')[1]!, 'base64url').toString());

describe('receiptOf', () => {
  it('says what was paid, for what, and how it ended', () => {
    const { receipt, official } = receiptFor(authorized, delivered, submitted, settled);
    expect(receipt).toEqual({
      type: 'tollbook-receipt',
      version: 1,
      payment: ID,
      status: 'settled',
      tenant: 'demo',
      resource: 'http://localhost:4020/demo/query',
      method: 'POST',
      amount: '700',
      asset: authorized.data.terms.asset,
      network: 'eip155:84532',
      payer: authorized.data.terms.payer,
      payee: authorized.data.terms.payee,
      tariff: { id: 'query', version: 3 },
      units: '20',
      mode: 'async',
      requestDigest: 'request-digest',
      response: { status: 200, digest: 'response-digest', bytes: 42 },
      settlement: { transaction, blockNumber: '12', blockHash, logIndex: 3 },
      events: [
        {
          position: '100',
          version: 1,
          type: 'PaymentAuthorized',
          at: '2026-09-21T14:13:20.000Z',
          digest: digestOf(authorized),
        },
        {
          position: '101',
          version: 2,
          type: 'RequestDelivered',
          at: '2026-09-21T14:13:20.001Z',
          digest: digestOf(delivered),
        },
        {
          position: '102',
          version: 3,
          type: 'SettlementSubmitted',
          at: '2026-09-21T14:13:20.002Z',
          digest: digestOf(submitted),
        },
        {
          position: '103',
          version: 4,
          type: 'PaymentSettled',
          at: '2026-09-21T14:13:20.003Z',
          digest: digestOf(settled),
        },
      ],
    });
    expect(officialPayload(official!.signature)).toEqual({
      version: 1,
      network: 'eip155:84532',
      resourceUrl: 'http://localhost:4020/demo/query',
      payer: authorized.data.terms.payer,
      issuedAt: 1_790_000_000,
      transaction,
    });
  });

  it('is signed over its canonical JSON', async () => {
    const { receipt, signature } = receiptFor(authorized, delivered);
    const { payload } = await compactVerify(signature, await importJWK(signer.jwks().keys[0]!));
    expect(Buffer.from(payload).toString()).toBe(canonicalJson(receipt));
  });

  it.each([
    ['authorized', [authorized], undefined, undefined],
    ['delivered', [authorized, delivered], undefined, ''],
    ['submitted', [authorized, delivered, submitted], undefined, ''],
    ['settled', [authorized, delivered, settled], undefined, transaction],
    ['submitted', [authorized, delivered, settled, reverted], undefined, ''],
    ['settlement_failed', [authorized, delivered, unsettled], 'insufficient_funds', undefined],
    ['released', [authorized, failed], 'upstream_error', undefined],
    [
      'interrupted',
      [authorized, { type: 'DeliveryInterrupted', schema: 1, data: { gateway: SECRETS.gateway } }],
      undefined,
      undefined,
    ],
  ] as [string, PaymentEvent[], string | undefined, string | undefined][])(
    'follows the events: %s',
    (status, events, reason, official) => {
      const receipt = receiptFor(...events);
      expect(receipt.receipt.status).toBe(status);
      expect(receipt.receipt.reason).toBe(reason);
      expect(receipt.official && officialPayload(receipt.official.signature).transaction).toBe(official);
      expect('settlement' in receipt.receipt).toBe(status === 'settled');
    },
  );

  it('is the same bytes whenever it is issued', () => {
    expect(receiptFor(authorized, delivered)).toEqual(receiptFor(authorized, delivered));
    expect(receiptFor(authorized, delivered).official).toEqual(receiptFor(authorized, delivered, submitted).official);
  });

  it('names the digests of what is stored, whatever the newest shape of an event is', () => {
    const events = stored(authorized, delivered);
    const upcast = (event: StoredEvent) => ({ ...event, data: { ...event.data, added: true } });
    expect(receiptOf(ID, events, signer, upcast)).toEqual(receiptOf(ID, events, signer));
  });

  it('gives away nothing that would open the stored answer', () => {
    const text = JSON.stringify(receiptFor(authorized, delivered, settled).receipt);
    const secrets = Object.values(SECRETS).flatMap((secret) =>
      typeof secret === 'string' ? [secret] : ['hold-secret', '31415'],
    );
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it('is none without events', () => {
    expect(receiptOf(ID, [], signer)).toBeUndefined();
  });
});
