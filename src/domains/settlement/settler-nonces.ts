import type { NonceSlot, SettlementChain, SignedTransaction } from '../../base/chain/chain.js';
import type { PaymentId } from '../payments/payment.js';
import { SettlementPending } from './settlement.ports.js';
import type { TransactionBook } from './settlement-transactions.js';
import { freestLane } from './settler-lanes.js';

/**
 * Takes the next nonce of the freest lane, signs for it and records the result: `undefined` if somebody else was faster,
 * or one of the payments is on its way already. All workers share the lanes, and nothing is locked while signing asks the
 * node for fees: the unique nonce in the book decides. A nonce is taken only by a durable transaction, so a worker
 * that dies at any point leaves no gap. Rejects with `SettlementPending` while each lane is full.
 */
export async function recordNext(
  chain: Pick<SettlementChain, 'settlers' | 'minedNonce'>,
  book: TransactionBook,
  payments: readonly PaymentId[],
  sign: (slot: NonceSlot) => Promise<SignedTransaction>,
): Promise<SignedTransaction | undefined> {
  const settler = freestLane(chain.settlers, await book.inFlight());
  if (settler === undefined) throw new SettlementPending('every settler has as many transactions unmined as it may');
  const [recorded, mined] = await Promise.all([book.nextNonce(settler), chain.minedNonce(settler)]);
  // The chain is ahead when the book is new, or when the key was used outside it.
  const transaction = await sign({ settler, nonce: Math.max(recorded, mined) });
  return (await book.record(transaction, payments)) ? transaction : undefined;
}
