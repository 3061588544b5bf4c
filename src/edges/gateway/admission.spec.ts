import type { CommandBus } from '@nestjs/cqrs';
import type { Chains } from '../../base/chain/chains.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Screening } from '../../domains/customers/screening.port.js';
import type { GatewayLease } from '../../domains/payments/gateway-lease.js';
import { AdmissionDesk, type Claimant } from './admission.js';
import type { Presented } from './flood-guard.js';
import type { LimitDesk } from './limit-desk.js';
import type { AgreedTerms } from './terms.js';

type Parts = ConstructorParameters<typeof AdmissionDesk>;

const call = {
  token: { network: 'eip155:84532', address: `0x${'c'.repeat(40)}` },
  tenant: { id: 'shop' },
  digest: 'd',
} as unknown as Claimant;
const by = {
  payment: {
    x402Version: 1,
    authorization: {
      from: `0x${'a'.repeat(40)}`,
      nonce: `0x${'1'.repeat(64)}`,
      value: 10n,
      validBefore: 9_000_000_000n,
    },
  },
} as unknown as Presented;
const taken = { type: 'PaymentAuthorized', data: { gateway: 'gw_other', mode: 'after' } };

/** A desk that asks a chain on which the nonce is used. @param streams what the store says, look by look */
function deskOf(streams: readonly (readonly object[])[]): AdmissionDesk {
  let look = 0;
  const store = { readStream: async () => streams[look++] } as unknown as EventStore;
  const payers = { fetch: async () => ({ nonceUsed: true }) } as unknown as Parts[2];
  const doubtful = { until: () => 0n };
  return new AdmissionDesk(
    {} as CommandBus,
    store,
    payers,
    {} as Chains,
    {} as GatewayLease,
    {} as Screening,
    {} as LimitDesk,
    doubtful,
    { canSettle: () => true },
  );
}

describe('a payment whose nonce is used on the chain', () => {
  it('is a repeat if it was taken elsewhere, and settled, between our look and the question', async () => {
    const found = await deskOf([[], [taken]]).vet(call, by, {} as AgreedTerms);
    expect(found).toMatchObject({ kind: 'exists', mine: true, payment: { status: 'authorized' } });
  });

  it('is refused if nobody here ever took it', async () => {
    const found = await deskOf([[], []]).vet(call, by, {} as AgreedTerms);
    expect(found).toEqual({ kind: 'refused', reason: 'invalid_exact_evm_nonce_already_used' });
  });
});
