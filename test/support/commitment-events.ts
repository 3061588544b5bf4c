import type { EventStore } from '../../src/base/event-store/event-store.js';
import type { CommitmentAccepted, CommitmentDelivered } from '../../src/domains/payments/commitment.js';

/** @param held atomic units that the request may cost at most */
export function commitmentAccepted(customer: CommitmentAccepted['data']['customer'], held: bigint): CommitmentAccepted {
  const amount = held.toString();
  const data: CommitmentAccepted['data'] = {
    ...{ tenant: 'shop', customer, route: 'thing', method: 'GET', resource: 'http://shop/thing', requestDigest: 'r' },
    ...{ amount, currency: 'USD', network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, quote: 'q', units: '1' },
    ...{ tariff: { id: 'flat', version: 1 }, urgency: 3, inputs: {}, key: 'k', signed: 's', gateway: 'gw' },
    holds: [{ key: `credit/shop/${customer}`, amount }],
  };
  return { type: 'CommitmentAccepted', schema: 1, data };
}

export function commitmentDelivered(accepted: CommitmentAccepted, charged: bigint): CommitmentDelivered {
  const [hold] = accepted.data.holds;
  const spare = BigInt(hold!.amount) - charged;
  const data: CommitmentDelivered['data'] = {
    ...{ status: 200, responseDigest: 'd', bytes: 1, latencyMs: 1, kept: false, units: '1' },
    charged: charged.toString(),
    released: spare > 0n ? [{ key: hold!.key, amount: spare.toString() }] : [],
  };
  return { type: 'CommitmentDelivered', schema: 1, data };
}

/** Writes whole commitments `from` up to, not including, `to`; their holds are not taken. */
export async function appendCommitments(store: EventStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    const accepted = commitmentAccepted(`cus_${String(n % 5).padStart(24, '0')}`, 1_000n);
    for (const [version, event] of [accepted, commitmentDelivered(accepted, BigInt(n % 1_000))].entries()) {
      const place = {
        stream: `commitment/com_${String(n).padStart(32, '0')}`,
        tenant: 'shop',
        expectedVersion: version,
      };
      await store.append({ ...place, decide: () => ({ events: [event] }) });
    }
  }
}
