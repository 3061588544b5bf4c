import { x402Client } from '@x402/core/client';
import { decodePaymentRequiredHeader, x402HTTPClient } from '@x402/core/http';
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from '@x402/core/schemas';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { privateKeyToAccount } from 'viem/accounts';
import { z } from 'zod';
import { decodePayment } from './payment-header.js';
import { compileOffer, encodeOffer, type OfferInput, paymentRequired } from './payment-required.js';

const offer: OfferInput = {
  resource: {
    url: 'https://api.example.com/weather?city=Zürich',
    description: 'Wetter – "heute"',
    mimeType: 'application/json',
    serviceName: 'Weather',
  },
  accepts: [
    {
      network: 'eip155:84532',
      asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
      amount: 1500n,
      payTo: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      maxTimeoutSeconds: 300,
      extra: { name: 'USDC', version: '2', quote: 'k1.0123456789abcdef' },
    },
  ],
  v1Amount: 1000n,
  extensions: { 'payment-identifier': { info: { required: false } } },
  error: 'payment_required',
};

/** The rules of the last version 1 client (1.2.0) for one accept; it parses each and fails on the first bad one. */
const strictV1Accept = z.object({
  scheme: z.literal('exact'),
  network: z.enum(['base-sepolia', 'base']),
  maxAmountRequired: z.string().regex(/^\d+$/),
  resource: z.url(),
  description: z.string(),
  mimeType: z.string(),
  outputSchema: z.record(z.string(), z.any()).optional(),
  payTo: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  maxTimeoutSeconds: z.number().int(),
  asset: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  extra: z.record(z.string(), z.any()).optional(),
});

function official(headers: Readonly<Record<string, string>>) {
  const client = new x402HTTPClient(new x402Client());
  return client.getPaymentRequiredResponse((name) => new Headers(headers).get(name));
}

describe('the 402 offer', () => {
  it('reaches the official client as the version 2 object', () => {
    const { headers } = encodeOffer(offer);
    expect(official(headers)).toEqual(paymentRequired(offer));
    expect(PaymentRequiredV2Schema.safeParse(official(headers)).success).toBe(true);
  });

  it('is signed by the official client, and the payment decodes to the terms that were offered', async () => {
    const account = privateKeyToAccount(`0x${'11'.repeat(32)}`);
    const core = new x402Client().register('eip155:*', new ExactEvmScheme(account));
    const client = new x402HTTPClient(core);
    const payment = await client.createPaymentPayload(official(encodeOffer(offer).headers));
    const header = client.encodePaymentSignatureHeader(payment)['PAYMENT-SIGNATURE'];
    const decoded = decodePayment({ 'payment-signature': header });
    const { amount, ...terms } = offer.accepts[0]!;
    expect(decoded).toMatchObject({
      x402Version: 2,
      accepted: { scheme: 'exact', amount: 1500n, ...terms },
      authorization: { from: account.address.toLowerCase(), to: terms.payTo, value: 1500n },
    });
  });

  it('gives version 1 the list price in its body, without the quote', () => {
    const body = JSON.parse(encodeOffer(offer).body);
    expect(PaymentRequiredV1Schema.safeParse(body).success).toBe(true);
    expect(strictV1Accept.parse(body.accepts[0])).toEqual({
      scheme: 'exact',
      network: 'base-sepolia',
      maxAmountRequired: '1000',
      asset: offer.accepts[0]!.asset,
      payTo: offer.accepts[0]!.payTo,
      resource: offer.resource.url,
      description: offer.resource.description,
      mimeType: 'application/json',
      maxTimeoutSeconds: 300,
      extra: { name: 'USDC', version: '2' },
    });
    expect(body.error).toBe('payment_required');
    expect(JSON.stringify(body)).not.toContain('k1.');
  });

  it.each([
    ['no list price', { ...offer, v1Amount: undefined }],
    ['a network unknown to version 1', { ...offer, accepts: [{ ...offer.accepts[0]!, network: 'eip155:31337' }] }],
    [
      'a network later than the version 1 client',
      { ...offer, accepts: [{ ...offer.accepts[0]!, network: 'eip155:1' }] },
    ],
  ] as [string, OfferInput][])('offers version 1 nothing with %s', (_, input) => {
    const { headers, body } = encodeOffer(input);
    expect(JSON.parse(body)).toEqual(decodePaymentRequiredHeader(headers['PAYMENT-REQUIRED']!));
    expect(JSON.parse(body).x402Version).toBe(2);
  });

  it('offers several ways to pay, version 1 the first of them', () => {
    const second = { ...offer.accepts[0]!, network: 'eip155:31337' as const, amount: 7n };
    const { headers, body } = encodeOffer({ ...offer, accepts: [...offer.accepts, second] });
    expect(official(headers).accepts.map(({ amount }) => amount)).toEqual(['1500', '7']);
    expect(JSON.parse(body).accepts).toHaveLength(1);
  });

  it('is not cached, and browsers may read its headers', () => {
    const { headers } = encodeOffer(offer);
    expect(headers['Cache-Control']).toBe('no-store');
  });

  it.each(['???>>>', '>>>???~~~', '\u00ff\u00ff\u00ff?'])(
    'has a header in standard padded base64 with %p in it',
    (error) => {
      const value = encodeOffer({ ...offer, error }).headers['PAYMENT-REQUIRED']!;
      expect(value).toMatch(/[+/]/);
      expect(value).toMatch(/^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
      expect(decodePaymentRequiredHeader(value).error).toBe(error);
    },
  );

  it('varies by amount, quote and error when compiled', () => {
    const template = compileOffer(offer);
    const accept = offer.accepts[0]!;
    for (const quote of ['a', 'b"\\{}']) {
      const extra = { ...accept.extra, quote };
      const same = { ...offer, accepts: [{ ...accept, amount: 9n, extra }], v1Amount: 8n, error: 'quote_expired' };
      const encoded = template({ accepts: [{ amount: 9n, quote }], v1Amount: 8n, error: 'quote_expired' });
      expect(encoded).toEqual(encodeOffer(same));
      expect(official(encoded.headers)).toEqual(paymentRequired(same));
    }
    expect(official(template({ accepts: [{ amount: 1n, quote: '' }] }).headers)).not.toHaveProperty('error');
  });
});
