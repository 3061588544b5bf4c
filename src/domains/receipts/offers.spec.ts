import { jest } from '@jest/globals';
import { verifyOfferSignatureJWS } from '@x402/extensions/offer-receipt';
import { OfferSigner, type OfferTerms } from './offers.js';
import { ReceiptSigner } from './receipt-signer.js';

const terms: OfferTerms = {
  resourceUrl: 'http://localhost:4020/demo/weather',
  scheme: 'exact',
  network: 'eip155:84532',
  asset: `0x${'a1'.repeat(20)}`,
  payTo: `0x${'b2'.repeat(20)}`,
  amount: 1000n,
  validUntil: 1_790_000_041,
};

describe('OfferSigner', () => {
  const receipts = new ReceiptSigner('http://localhost:4020', [`0x${'01'.repeat(32)}`]);
  const { kid: _, ...jwk } = receipts.jwks().keys[0]!;
  const payloadOf = (offer: { format: 'jws'; signature: string }) => verifyOfferSignatureJWS(offer, jwk);

  afterEach(() => jest.restoreAllMocks());

  it('signs what the official package verifies', async () => {
    const offer = new OfferSigner(receipts).signedOffer(terms, 2);
    expect(offer).toMatchObject({ format: 'jws', acceptIndex: 2 });
    expect(await payloadOf(offer)).toEqual({ ...terms, version: 1, amount: '1000', validUntil: 1_790_000_070 });
  });

  it.each([
    [1_790_000_040, 1_790_000_040],
    [1_790_000_069, 1_790_000_070],
    [1_790_000_070, 1_790_000_070],
    [1_790_000_071, 1_790_000_100],
  ])('is valid until the grid after the quote: %i', async (validUntil, signed) => {
    const { validUntil: until } = await payloadOf(new OfferSigner(receipts).signedOffer({ ...terms, validUntil }));
    expect(until).toBe(signed);
  });

  it('signs once for all who are asked the same in a while, and anew for every difference', () => {
    const sign = jest.spyOn(receipts, 'sign');
    const offers = new OfferSigner(receipts);
    for (let second = 41; second <= 70; second++) offers.signedOffer({ ...terms, validUntil: 1_790_000_000 + second });
    expect(sign).toHaveBeenCalledTimes(1);
    const differences: Partial<OfferTerms>[] = [
      { resourceUrl: 'http://localhost:4020/demo/slow' },
      { scheme: 'upto' },
      { network: 'eip155:8453' },
      { asset: `0x${'a2'.repeat(20)}` },
      { payTo: `0x${'b3'.repeat(20)}` },
      { amount: 1001n },
      { validUntil: terms.validUntil + 60 },
    ];
    for (const difference of differences) offers.signedOffer({ ...terms, ...difference });
    expect(sign).toHaveBeenCalledTimes(1 + differences.length);
  });

  it('does not swallow a failure to sign', () => {
    jest.spyOn(receipts, 'sign').mockImplementationOnce(() => {
      throw new Error('no key');
    });
    expect(() => new OfferSigner(receipts).signedOffer(terms)).toThrow('no key');
  });
});
