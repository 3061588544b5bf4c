import type { StoredEvent } from '../../base/event-store/event.js';
import type { CommitmentAccepted, CommitmentDelivered } from '../payments/commitment.js';
import { type Book, tokenAsset } from './chart.js';
import { Lines } from './lines.js';
import { REVENUE } from './payment-entries.js';
import type { Transfer } from './transfer.js';

/** The events of a commitment that the postings need: one that was released or interrupted moves nothing. */
export const commitmentTypes = ['CommitmentAccepted', 'CommitmentDelivered'] as const;

/** A request that is paid later, until it is delivered. */
export interface CommitmentBook {
  readonly flow: 'commitment';
  readonly book: Book;
  readonly customer: string;
}

type Posting = CommitmentAccepted | CommitmentDelivered;

export function isCommitment({ type }: Pick<StoredEvent, 'type'>): boolean {
  return (commitmentTypes as readonly string[]).includes(type);
}

/**
 * Pure: what was used is earned, and stands unbilled until it is invoiced. What is only held is in `limits/` alone.
 *
 * @param state `undefined` before the first event
 */
export function postCommitment(
  state: CommitmentBook | undefined,
  stored: StoredEvent,
): { readonly state: CommitmentBook; readonly transfers: readonly Transfer[] } {
  const event = { type: stored.type, data: stored.data } as unknown as Posting;
  if (event.type === 'CommitmentAccepted') {
    const { asset, customer, network } = event.data;
    const book = { tenant: stored.tenant, asset: tokenAsset(network, asset) };
    return { state: { flow: 'commitment', book, customer }, transfers: [] };
  }
  if (!state) throw new Error(`${stored.type} at ${stored.position} comes before its acceptance`);
  const charged = BigInt(event.data.charged);
  const lines = new Lines(stored, state.book, charged);
  const unbilled = { kind: 'unbilled', party: state.customer } as const;
  if (charged > 0n) lines.posted({ code: 'charge', debit: unbilled, credit: REVENUE });
  return { state, transfers: lines.transfers };
}
