import type { TransferLog } from '../../../base/chain/transfer-logs.js';
import type { NamedTransfer, Wallet } from './chain.sql.js';

/** Reads what the log names wallet by wallet, in the order of the chain, one row ahead and no more than a page in memory. */
export class NamedTransfers {
  private page: readonly NamedTransfer[] = [];
  private next = 0;

  constructor(private readonly pages: AsyncIterator<readonly NamedTransfer[]>) {}

  /** The next one of this wallet without taking it; `undefined` if there is none left. */
  async peek(wallet: Wallet): Promise<NamedTransfer | undefined> {
    while (this.next >= this.page.length) {
      const { done, value } = await this.pages.next();
      if (done) return undefined;
      this.page = value;
      this.next = 0;
    }
    const named = this.page[this.next]!;
    return named.wallet === wallet.owner && named.asset === wallet.asset && named.network === wallet.network
      ? named
      : undefined;
  }

  take(): void {
    this.next++;
  }
}

export interface Matching {
  /** Both sides name the same log of the same transaction; whether parties and value agree is for the callee to see. */
  matched(named: NamedTransfer, transfer: TransferLog): void;
  /** Named by the log of events, not among the transfers. */
  absent(named: NamedTransfer): void;
  /** On the chain, named by nothing. */
  unnamed(transfer: TransferLog): Promise<void>;
  /** A second name for a transfer that has one. */
  again(named: NamedTransfer): void;
}

/** Merges two lists that are both in the order of the chain, in constant memory. */
export async function matchTransfers(
  wallet: Wallet,
  named: NamedTransfers,
  transfers: AsyncIterable<readonly TransferLog[]>,
  { absent, again, matched, unnamed }: Matching,
): Promise<void> {
  for await (const page of transfers) {
    for (const transfer of page) {
      let found = false;
      for (let one = await named.peek(wallet); one && order(one, transfer) <= 0; one = await named.peek(wallet)) {
        named.take();
        if (order(one, transfer) < 0 || one.transaction !== transfer.transaction) absent(one);
        else if (found) again(one);
        else matched(one, transfer);
        found ||= order(one, transfer) === 0 && one.transaction === transfer.transaction;
      }
      if (!found) await unnamed(transfer);
    }
  }
  for (let one = await named.peek(wallet); one; one = await named.peek(wallet)) {
    named.take();
    absent(one);
  }
}

function order(named: NamedTransfer, transfer: TransferLog): number {
  const block = BigInt(named.blockNumber);
  if (block === transfer.blockNumber) return named.logIndex - transfer.logIndex;
  return block < transfer.blockNumber ? -1 : 1;
}
