import { x402Client } from '@x402/core/client';
import { decodePaymentResponseHeader, x402HTTPClient } from '@x402/core/http';
import { PaymentRequiredV2Schema } from '@x402/core/schemas';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { privateKeyToAccount } from 'viem/accounts';
import { Problem } from '../shared/problem.js';
import { httpMessageSignatures } from './commitment-offer.js';
import { decodePayment } from './payment-header.js';
import { encodeOffer, type OfferInput, paymentRequired } from './payment-required.js';
import { encodeCommitment } from './payment-response.js';

const ADDRESS = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const USDC = '0x036cbd53842c5426634e7929541ec2318f3dcf7e';
const offer: OfferInput = {
  resource: { url: 'https://api.example.com/weather', description: 'Weather', mimeType: 'application/json' },
  accepts: [
    {
      ...{ network: 'eip155:84532', asset: USDC, amount: 1500n, payTo: ADDRESS, maxTimeoutSeconds: 60 },
      extra: { name: 'USDC', version: '2', quote: 'q1.0123', class: 'fast' },
    },
  ],
  commitment: { currency: 'USD', decimals: 6, payTo: 'demo', maxTimeoutSeconds: 60 },
  extensions: httpMessageSignatures,
};
const later = {
  ...{ scheme: 'batch-settlement', network: 'tollbook:402', asset: 'USD', amount: '1500', payTo: 'demo' },
  ...{ maxTimeoutSeconds: 60, extra: { version: '1.0.0', decimals: 6, quote: 'q1.0123', class: 'fast' } },
};
const encode = (payment: object) => ({ 'payment-signature': Buffer.from(JSON.stringify(payment)).toString('base64') });
const payload = { amount: '1500', asset: 'USD', customer: 'cus_1' };
const commitment = { x402Version: 2, accepted: later, payload };

describe('an offer to pay later', () => {
  const client = new x402HTTPClient(
    new x402Client().register('eip155:*', new ExactEvmScheme(privateKeyToAccount(`0x${'11'.repeat(32)}`))),
  );
  const encoded = encodeOffer(offer);
  const read = client.getPaymentRequiredResponse((name) => new Headers(encoded.headers).get(name));

  it('stands behind the instant one, for the same amount and under the same quote', () => {
    expect(PaymentRequiredV2Schema.safeParse(read).success).toBe(true);
    expect(read.accepts.map(({ scheme }) => scheme)).toEqual(['exact', 'batch-settlement']);
    expect(paymentRequired(offer).accepts[1]).toEqual(later);
    expect(read.accepts[1]).toMatchObject({ amount: '1500', extra: { quote: 'q1.0123', decimals: 6 } });
  });

  it('is passed over by the official client, which pays at once', async () => {
    expect((await client.createPaymentPayload(read)).accepted.scheme).toBe('exact');
  });
});

describe('a commitment', () => {
  it('is read, with amounts as numbers', () => {
    expect(decodePayment(encode(commitment))).toMatchObject({
      ...{ x402Version: 2, scheme: 'batch-settlement', payload: { amount: 1500n, asset: 'USD', customer: 'cus_1' } },
      accepted: { amount: 1500n, payTo: 'demo', extra: { quote: 'q1.0123' } },
    });
  });

  it("may leave out and add what the binding's own examples do", () => {
    const { extra: _, maxTimeoutSeconds: __, ...accepted } = later;
    expect(decodePayment(encode({ ...commitment, accepted: { ...accepted, termsUrl: 'x' } }))).toBeDefined();
  });

  it.each<[string, object]>([
    ['another network', { accepted: { ...later, network: 'cloudflare:402' } }],
    ['a negative amount', { payload: { ...payload, amount: '-1' } }],
    ['no customer', { payload: { amount: '1500', asset: 'USD' } }],
    ['a customer that is a path', { payload: { ...payload, customer: 'a/b' } }],
    ['what would not be looked at', { payload: { ...payload, tip: '5' } }],
    ['no currency', { payload: { ...payload, asset: ADDRESS } }],
  ])('is refused with %s', (_what, change) => {
    let code: string | undefined;
    try {
      decodePayment(encode({ ...commitment, ...change }));
    } catch (error) {
      code = (error as Problem).code;
    }
    expect(code).toBe('malformed_payment');
  });

  it('is answered with its id where the scheme wants one, as official clients read it', () => {
    const headers = encodeCommitment({ commitment: 'com_1', customer: 'cus_1', charged: 1200n, held: 1500n });
    expect(decodePaymentResponseHeader(headers['PAYMENT-RESPONSE']!)).toEqual({
      ...{ success: true, network: 'tollbook:402', payer: 'cus_1', transaction: 'com_1', amount: '1200' },
      extra: { commitmentId: 'com_1', charged: '1200', held: '1500' },
    });
  });
});
