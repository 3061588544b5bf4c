import type { FacilitatorRequest } from '../../../base/x402/facilitator.js';
import { FACILITATOR } from '../../../domains/payments/facilitated.decide.js';
import type { Tenant } from '../../../domains/pricing/catalogue.schemas.js';
import { FacilitatorDesk, type FacilitatorParts } from './facilitator-desk.js';

const NOW = Date.UTC(2026, 10, 23);
const PAYEE = `0x${'b'.repeat(40)}`;
const token = { network: 'eip155:84532', address: `0x${'c'.repeat(40)}`, name: 'USDC', version: '2' };
const tenant = { id: 'shop', payee: PAYEE, network: token.network, asset: token.address } as unknown as Tenant;
const request = {
  requirements: { network: token.network, asset: token.address, payTo: PAYEE, amount: 10n },
  payment: {
    x402Version: 1,
    network: token.network,
    payloadDigest: 'digest',
    signature: `0x${'1'.repeat(130)}`,
    authorization: {
      from: `0x${'a'.repeat(40)}`,
      to: PAYEE,
      value: 10n,
      nonce: `0x${'1'.repeat(64)}`,
      validAfter: 0n,
      validBefore: BigInt(NOW / 1000 + 300),
    },
  },
} as unknown as FacilitatorRequest;
const settled = {
  status: 'settled',
  settled: { transaction: '0x5' },
  authorized: { payloadDigest: 'digest', route: FACILITATOR, tenant: 'shop' },
};

/** @param looks what the log says of the payment, look by look */
function deskOf(found: object, looks: readonly (object | undefined)[]): FacilitatorDesk {
  let look = 0;
  const parts = {
    admissions: { find: async () => looks[look++], vet: async () => found },
    payers: { known: () => ({ hasCode: true }) },
    standings: { isDenied: () => false },
    watch: { waitFor: async () => settled },
    tokenOf: () => token,
    clock: () => NOW,
  };
  return new FacilitatorDesk(parts as unknown as FacilitatorParts);
}

describe('a payment that another gateway takes and settles after the first look', () => {
  it.each([
    ['the authorization is used', { kind: 'exists' }],
    ['the payer has no money left', { kind: 'refused', reason: 'insufficient_funds' }],
  ])('is settled, though %s', async (_, found) => {
    const desk = deskOf(found, [undefined, { payment: settled }]);
    expect(await desk.settle(tenant, request)).toEqual({ transaction: '0x5' });
  });

  it('is refused if nobody here took it', async () => {
    const desk = deskOf({ kind: 'refused', reason: 'insufficient_funds' }, [undefined, undefined]);
    expect(await desk.settle(tenant, request)).toEqual({ refused: 'insufficient_funds' });
  });
});
