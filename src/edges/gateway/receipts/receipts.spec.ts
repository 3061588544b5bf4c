import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  extractPublicKeyFromKid,
  verifyOfferSignatureJWS,
  verifyReceiptSignatureJWS,
} from '@x402/extensions/offer-receipt';
import { compactVerify, createRemoteJWKSet } from 'jose';
import { freePort } from '../../../../test/support/ports.js';
import type { StoredEvent } from '../../../base/event-store/event.js';
import { LOGGER } from '../../../base/platform/tokens.js';
import { OfferSigner } from '../../../domains/receipts/offers.js';
import { ReceiptDesk } from '../../../domains/receipts/proved-receipt.js';
import { type Receipt, receiptOf } from '../../../domains/receipts/receipt.js';
import { ReceiptSigner } from '../../../domains/receipts/receipt-signer.js';
import { ProblemFilter } from '../../problem.js';
import { KeysController } from './keys.controller.js';
import { ReceiptsController } from './receipts.controller.js';

const OLD = `0x${'01'.repeat(32)}` as const;
const NEW = `0x${'02'.repeat(32)}` as const;
const ID = `pay_${'5'.repeat(32)}`;
const payer = `0x${'c4'.repeat(20)}` as const;
const asset = `0x${'a1'.repeat(20)}` as const;
const payee = `0x${'b2'.repeat(20)}` as const;
const network = 'eip155:84532';

let app: NestFastifyApplication;
let url: string;
let signer: ReceiptSigner;

function paymentEvents(): StoredEvent[] {
  const terms = { network, asset, payer, payee, amount: '700', validAfter: '0', validBefore: '9', nonce: '0x1' };
  const common = { stream: `payment/${ID}`, schema: 1, tenant: 'demo', occurredAt: new Date(1_790_000_000_000) };
  const authorized = {
    tenant: 'demo',
    route: 'query',
    method: 'POST',
    resource: `${url}/demo/query`,
    requestDigest: 'request-digest',
    payloadDigest: 'payload-digest',
    x402Version: 2,
    terms,
    tariff: { id: 'query', version: 1 },
    units: '1',
    authorizedAt: '1790000000',
    mode: 'async',
    idempotent: false,
    gateway: 'gw',
  };
  const delivered = { status: 200, responseDigest: 'response-digest', bytes: 2, latencyMs: 1, kept: true };
  return [
    { ...common, position: 1n, version: 1, type: 'PaymentAuthorized', data: authorized },
    { ...common, position: 2n, version: 2, type: 'RequestDelivered', data: delivered },
  ];
}

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  signer = new ReceiptSigner(url, [NEW, OLD]);
  const issue: ReceiptDesk['issue'] = async (id) => {
    const receipt = receiptOf(id, id === ID ? paymentEvents() : [], signer);
    return receipt && { ...receipt, proofs: [], seals: {} };
  };

  @Module({
    controllers: [ReceiptsController, KeysController],
    providers: [
      { provide: ReceiptDesk, useValue: { issue } },
      { provide: ReceiptSigner, useValue: signer },
      { provide: LOGGER, useValue: console },
      ProblemFilter,
    ],
  })
  class TestModule {}

  app = await NestFactory.create<NestFastifyApplication>(TestModule, new FastifyAdapter(), { logger: false });
  app.useGlobalFilters(app.get(ProblemFilter));
  await app.listen(port, '127.0.0.1');
});

afterAll(() => app.close());

describe('GET /receipts/{id}', () => {
  it('answers a receipt that the official package and the published keys verify', async () => {
    const response = await fetch(`${url}/receipts/${ID}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    const { receipt, signature, official } = (await response.json()) as Receipt;

    const officialPayload = await verifyReceiptSignatureJWS(official!);
    expect(officialPayload).toEqual({
      version: 1,
      network,
      resourceUrl: `${url}/demo/query`,
      payer,
      issuedAt: 1_790_000_000,
      transaction: '',
    });

    const { payload } = await compactVerify(signature, createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`)));
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual(receipt);
    expect(receipt).toMatchObject({ payment: ID, status: 'delivered', amount: '700', payee });
  });

  it.each([`pay_${'6'.repeat(32)}`, 'pay_5', 'nonsense', `PAY_${'5'.repeat(32)}`, `${ID}%00`])(
    'knows no receipt %s',
    async (id) => {
      const response = await fetch(`${url}/receipts/${id}`);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      expect(await response.json()).toMatchObject({ code: 'not_found', status: 404 });
    },
  );
});

describe('the published keys', () => {
  it('resolve by did:web for offers too, those of an older key included', async () => {
    for (const issuer of [signer, new ReceiptSigner(url, [OLD])]) {
      const offer = new OfferSigner(issuer).signedOffer({
        resourceUrl: `${url}/demo/query`,
        scheme: 'exact',
        network,
        asset,
        payTo: payee,
        amount: 700n,
        validUntil: 1_790_000_010,
      });
      expect(await verifyOfferSignatureJWS(offer)).toMatchObject({ amount: '700', validUntil: 1_790_000_010 });
    }
  });

  it('do not resolve for a key that is not ours, and fail a changed signature', async () => {
    const stranger = new ReceiptSigner(url, [`0x${'03'.repeat(32)}`]);
    await expect(extractPublicKeyFromKid(stranger.kid)).rejects.toThrow('No verification method');
    const [header, , signature] = signer.sign({ amount: '700' }).split('.');
    const forged = [header, Buffer.from('{"amount":"1"}').toString('base64url'), signature].join('.');
    await expect(verifyReceiptSignatureJWS({ format: 'jws', signature: forged })).rejects.toThrow();
  });

  it('come with types of their own and may be cached for a while', async () => {
    const types = { 'jwks.json': 'application/jwk-set+json', 'did.json': 'application/did+json' };
    for (const [name, type] of Object.entries(types)) {
      const response = await fetch(`${url}/.well-known/${name}`);
      expect(response.headers.get('content-type')).toContain(type);
      expect(response.headers.get('cache-control')).toBe('public, max-age=300');
      expect(JSON.stringify(await response.json())).not.toContain('"d"');
    }
  });
});
