import type { SettlementChain, TransactionOutcome } from '../../base/chain/chain.js';
import type { Hex } from '../../base/shared/hex.js';
import type { NetworkFees } from './network-fees.js';
import type { SettlementTransaction, TransactionBook } from './settlement-transactions.js';

/**
 * Everybody who learns what became of a transaction says it here. The fee comes first and the book last: cut short in
 * between, the book still asks for another look, and a repeat changes nothing.
 */
export class OutcomeRecorder {
  constructor(
    private readonly chain: Pick<SettlementChain, 'transactionOutcome'>,
    private readonly book: Pick<TransactionBook, 'find' | 'markLost' | 'markMined' | 'markReverted'>,
    private readonly fees: Pick<NetworkFees, 'pay' | 'reverse'>,
  ) {}

  /**
   * Asks the chain what became of the attempts in one slot, the oldest first, and writes it: `mined` if one of them is in a
   * block, otherwise whether the node has the newest.
   */
  async lookAt(attempts: readonly Pick<SettlementTransaction, 'hash'>[]): Promise<TransactionOutcome['kind']> {
    let kind: TransactionOutcome['kind'] = 'unknown';
    for (const { hash } of attempts) {
      const outcome = await this.chain.transactionOutcome(hash);
      if (await this.record(hash, outcome)) return 'mined';
      kind = outcome.kind;
    }
    return kind;
  }

  /** Writes into log and book what the chain says; `true` if the transaction is in a block. */
  async record(hash: Hex, outcome: TransactionOutcome): Promise<boolean> {
    const transaction = await this.book.find(hash);
    if (outcome.kind !== 'mined') {
      // Whoever takes a fee back sends the transaction back too, so that it is looked at again should the node be behind.
      if (transaction && (await this.fees.reverse(transaction))) await this.book.markReverted(hash);
      return false;
    }
    if (transaction) await this.fees.pay(transaction, outcome);
    const block = { number: outcome.blockNumber, hash: outcome.blockHash };
    // A transaction that failed as a whole had no effect and can have none while its block stands.
    if (outcome.succeeded) await this.book.markMined(hash, block);
    else await this.book.markLost(hash, block);
    return true;
  }
}
