import type { SettlementChain, SignedTransaction } from '../../base/chain/chain.js';
import type { PaymentId } from '../payments/payment.js';
import type { TransactionBook } from './settlement-transactions.js';

/**
 * Takes the settler's next nonce, signs for it and records the result: `undefined` if somebody else was faster, or one
 * of the payments is on its way already. All workers share the lane, and nothing is locked while signing asks the
 * node for fees: the unique nonce in the book decides. A nonce is taken only by a durable transaction, so a worker
 * that dies at any point leaves no gap.
 */
export async function recordNext(
  chain: SettlementChain,
  book: TransactionBook,
  payments: readonly PaymentId[],
  sign: (nonce: number) => Promise<SignedTransaction>,
): Promise<SignedTransaction | undefined> {
  const [recorded, mined] = await Promise.all([book.nextNonce(chain.settler), chain.minedNonce()]);
  // The chain is ahead when the book is new, or when the key was used outside it.
  const transaction = await sign(Math.max(recorded, mined));
  return (await book.record(transaction, payments)) ? transaction : undefined;
}
