import { encodeHeader } from './headers.js';
import { checkOffer, headerBytes } from './offer-limits.js';
import { MAX_PAYMENT_HEADER_BYTES } from './payment-header.js';
import { type OfferInput, paymentRequired } from './payment-required.js';

const accept = {
  network: 'eip155:84532',
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  amount: 2n ** 256n - 1n,
  payTo: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', quote: 'q'.repeat(160) },
} as const;

function offerOf(description: string, change: Partial<OfferInput> = {}): OfferInput {
  const resource = { url: 'https://api.example.com/weather', description, mimeType: 'application/json' };
  return { resource, accepts: [accept], v1Amount: 1n, extensions: {}, ...change };
}

describe('limits of an offer', () => {
  it('counts names, values and separators', () => {
    expect(headerBytes({ A: 'bc', Def: '' })).toBe('A: bc\r\nDef: \r\n'.length);
  });

  it('accepts an ordinary route', () => {
    expect(() => checkOffer(offerOf('Weather report'))).not.toThrow();
  });

  it('refuses texts that would not fit into 8 KB of headers', () => {
    expect(() => checkOffer(offerOf('x'.repeat(4000)))).not.toThrow();
    expect(() => checkOffer(offerOf('x'.repeat(5000)))).toThrow(/the 402 would have \d+ bytes/);
    // Two bytes a letter.
    expect(() => checkOffer(offerOf('ü'.repeat(2500)))).toThrow(/the 402 would have/);
  });

  it('leaves room for the payment that echoes the largest offer', () => {
    const fits = (length: number) => {
      try {
        checkOffer(offerOf('x'.repeat(length)));
        return true;
      } catch {
        return false;
      }
    };
    let longest = 4000;
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

  it.each([
    ['no way to pay', { accepts: [] }, /at least one/],
    ['no time to pay', { accepts: [{ ...accept, maxTimeoutSeconds: 0 }] }, /maxTimeoutSeconds/],
    ['a relative URL', { resource: { url: '/weather', description: '', mimeType: '' } }, /absolute/],
    [
      'a long service name',
      { resource: { url: 'https://a.example', description: '', mimeType: '', serviceName: 'x'.repeat(33) } },
      /serviceName/,
    ],
  ] as [string, Partial<OfferInput>, RegExp][])('refuses %s', (_, change, message) => {
    expect(() => checkOffer(offerOf('', change))).toThrow(message);
  });
});
