import type { NonceSlot, SignedTransaction } from '../../src/base/chain/chain.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import type { RefundId } from '../../src/domains/payments/refund.js';
import type {
  BlockRef,
  SettlementTransaction,
  TransactionBook,
} from '../../src/domains/settlement/settlement-transactions.js';

export function isSameSlot(a: NonceSlot, b: NonceSlot): boolean {
  return a.nonce === b.nonce && a.settler === b.settler;
}

/** The book of transactions in memory, with the rules of the SQL one. */
export class FakeBook implements TransactionBook {
  rows: SettlementTransaction[] = [];

  async inFlight() {
    const nonces = new Map<Address, Set<number>>();
    for (const { nonce, settler, status } of this.rows) {
      if (status === 'submitted') nonces.set(settler, (nonces.get(settler) ?? new Set()).add(nonce));
    }
    return new Map([...nonces].map(([settler, { size }]) => [settler, size]));
  }

  async nextNonce(settler: Address) {
    return Math.max(-1, ...this.rows.filter((row) => row.settler === settler).map(({ nonce }) => nonce)) + 1;
  }

  async record(transaction: SignedTransaction, payments: readonly PaymentId[], refunds: readonly RefundId[] = []) {
    const open = this.rows.some(
      (row) => row.status === 'submitted' && row.payments.some((id) => payments.includes(id)),
    );
    if (open || this.rows.some((row) => isSameSlot(row, transaction))) return false;
    this.rows.push({ ...transaction, attempt: 1, payments, refunds, status: 'submitted', block: undefined });
    return true;
  }

  async replace(old: Hex, transaction: SignedTransaction, payments: readonly PaymentId[]) {
    const newest = this.sorted((row) => isSameSlot(row, transaction)).at(-1);
    if (newest?.hash !== old || newest.status !== 'submitted') return false;
    const { attempt, refunds } = newest;
    this.rows.push({ ...transaction, attempt: attempt + 1, payments, refunds, status: 'submitted', block: undefined });
    return true;
  }

  async naming(payments: readonly PaymentId[]) {
    return this.sorted((row) => row.payments.some((id) => payments.includes(id)));
  }

  async onTheirWay(refunds: readonly RefundId[]) {
    const sent = this.sorted((row) => row.status === 'submitted').flatMap((row) => row.refunds);
    return new Set(sent.filter((one) => refunds.includes(one)));
  }

  async attempts(slot: NonceSlot) {
    return this.sorted((row) => isSameSlot(row, slot));
  }

  async find(hash: Hex) {
    return this.rows.find((row) => row.hash === hash);
  }

  async markMined(hash: Hex, block: BlockRef) {
    this.decide(hash, { status: 'mined', block });
  }

  async markLost(hash: Hex, block?: BlockRef) {
    if (block) this.decide(hash, { status: 'lost', block });
    else this.change((row) => row.hash === hash, { status: 'lost' });
  }

  async markReverted(hash: Hex) {
    const gone = this.rows.find((row) => row.hash === hash)!;
    const again = (row: SettlementTransaction) => row.hash === hash || (isSameSlot(row, gone) && !row.block);
    this.change(again, { status: 'submitted', block: undefined });
  }

  async unmined(settler: Address) {
    return this.sorted((row) => row.settler === settler && row.status === 'submitted');
  }

  async recentlyMined(settler: Address) {
    return this.sorted((row) => row.settler === settler && row.block !== undefined).reverse();
  }

  private decide(hash: Hex, outcome: Pick<SettlementTransaction, 'block' | 'status'>): void {
    const decided = this.rows.find((row) => row.hash === hash)!;
    this.change((row) => row.hash === hash, outcome);
    this.change((row) => isSameSlot(row, decided) && row.status === 'submitted', { status: 'lost' });
  }

  private sorted(which: (row: SettlementTransaction) => boolean): SettlementTransaction[] {
    return this.rows.filter(which).sort((a, b) => a.nonce - b.nonce || a.attempt - b.attempt);
  }

  private change(which: (row: SettlementTransaction) => boolean, change: Partial<SettlementTransaction>): void {
    this.rows = this.rows.map((row) => (which(row) ? { ...row, ...change } : row));
  }
}
