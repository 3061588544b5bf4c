import type { NonceSlot, SettlementChain, SignedTransaction } from '../../base/chain/chain.js';
import type { PaymentId } from '../payments/payment.js';
import type { RefundId } from '../payments/refund.js';
import type { TransactionBook } from './settlement-transactions.js';
import type { SettlerLanes } from './settler-lanes.js';

/**
 * Takes the next nonce of the freest lane, signs for it and records the result: `undefined` if somebody else was faster,
 * or one of the payments or refunds is on its way already. All workers share the lanes, and nothing is locked while signing asks the
 * node for fees: the unique nonce in the book decides. A nonce is taken only by a durable transaction, so a worker
 * that dies at any point leaves no gap. Rejects with `SettlementPending` while no lane is free.
 */
export async function recordNext(
  chain: Pick<SettlementChain, 'minedNonce'>,
  lanes: Pick<SettlerLanes, 'choose'>,
  book: TransactionBook,
  payments: readonly PaymentId[],
  sign: (slot: NonceSlot) => Promise<SignedTransaction>,
  refunds: readonly RefundId[] = [],
): Promise<SignedTransaction | undefined> {
  const settler = await lanes.choose();
  const [recorded, mined] = await Promise.all([book.nextNonce(settler), chain.minedNonce(settler)]);
  // The chain is ahead when the book is new, or when the key was used outside it.
  const transaction = await sign({ settler, nonce: Math.max(recorded, mined) });
  return (await book.record(transaction, payments, refunds)) ? transaction : undefined;
}
