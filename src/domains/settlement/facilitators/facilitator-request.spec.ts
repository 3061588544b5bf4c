import { decodeFacilitatorRequest } from '../../../base/x402/facilitator.js';
import { facilitatorBodyOf, versionFor } from './facilitator-request.js';

const terms = {
  network: 'eip155:84532',
  asset: `0x${'cc'.repeat(20)}`,
  payer: `0x${'aa'.repeat(20)}`,
  payee: `0x${'bb'.repeat(20)}`,
  amount: '1500',
  validAfter: '0',
  validBefore: '2000000000',
  nonce: `0x${'11'.repeat(32)}`,
} as const;
const token = { network: terms.network, address: terms.asset, name: 'USDC', version: '2', decimals: 6 };
const authorized = { terms, x402Version: 2, resource: 'https://shop.example/thing' } as const;
const signature = `0x${'22'.repeat(65)}` as const;

describe('what a facilitator is sent', () => {
  it.each([1, 2] as const)('is what our own reads as the same payment, in version %s', (version) => {
    const read = decodeFacilitatorRequest(facilitatorBodyOf(authorized, signature, token, version));
    expect(read).toMatchObject({
      payment: {
        x402Version: version,
        signature,
        authorization: { from: terms.payer, to: terms.payee, value: 1500n, validAfter: 0n, nonce: terms.nonce },
      },
      requirements: { network: terms.network, asset: terms.asset, payTo: terms.payee, amount: 1500n },
      resource: authorized.resource,
    });
  });

  it('names the domain of the token, and no resource that is not known', () => {
    const body = facilitatorBodyOf({ ...authorized, resource: '-' }, signature, token, 2);
    expect(body.paymentRequirements).toMatchObject({ extra: { name: 'USDC', version: '2' } });
    expect(body.paymentPayload).not.toHaveProperty('resource');
  });

  it('is in the version of the payment, or in the one that the facilitator speaks', () => {
    expect(versionFor({ ...authorized, x402Version: 1 }, [2, 1])).toBe(1);
    expect(versionFor({ ...authorized, x402Version: 1 }, [2])).toBe(2);
    expect(versionFor(authorized, [])).toBeUndefined();
  });
});
