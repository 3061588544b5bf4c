import { encodeHeader } from './headers.js';
import { headerBytes, OFFER_HEADER_BYTES_MAX } from './offer-limits.js';
import { MAX_PAYMENT_HEADER_BYTES } from './payment-header.js';
import { encodeOffer, type OfferInput, paymentRequired } from './payment-required.js';

const accept = {
  network: 'eip155:84532',
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  amount: 2n ** 256n - 1n,
  payTo: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', quote: 'q'.repeat(160) },
} as const;

function offerOf(path: string): OfferInput {
  const resource = { url: `https://api.example.com/${path}`, description: '', mimeType: 'application/json' };
  return { resource, accepts: [accept], v1Amount: 1n, extensions: {} };
}

describe('limits of an offer', () => {
  it('counts names, values and separators', () => {
    expect(headerBytes({ A: 'bc', Def: '' })).toBe('A: bc\r\nDef: \r\n'.length);
  });

  it('leave room for the payment that echoes the largest offer', () => {
    const fits = (length: number) =>
      headerBytes(encodeOffer(offerOf('x'.repeat(length))).headers) <= OFFER_HEADER_BYTES_MAX;
    let longest = 4000;
    expect(fits(longest)).toBe(true);
    while (fits(longest + 1)) longest++;
    const { resource, accepts, extensions } = paymentRequired(offerOf('x'.repeat(longest)));
    const word = `0x${'0'.repeat(64)}`;
    const number = '9'.repeat(78);
    const authorization = { from: accept.payTo, to: accept.payTo, nonce: word, value: number };
    const window = { validAfter: number, validBefore: number };
    const payload = { signature: `0x${'0'.repeat(130)}`, authorization: { ...authorization, ...window } };
    const payment = encodeHeader(
      JSON.stringify({ x402Version: 2, resource, accepted: accepts[0], payload, extensions }),
    );
    expect(payment.length).toBeGreaterThan(7000);
    expect(payment.length).toBeLessThanOrEqual(MAX_PAYMENT_HEADER_BYTES);
  });
});
