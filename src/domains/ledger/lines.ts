import type { StoredEvent } from '../../base/event-store/event.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import type { Account, Book } from './chart.js';
import { type Code, type Transfer, transferId } from './transfer.js';

/** What both ends of a hold share: it is resolved by the same accounts and amount. */
export interface Entry {
  readonly code: Code;
  readonly debit: Account;
  readonly credit: Account;
}

/** A hold that stands, to be posted or voided. */
export interface Pending extends Entry {
  readonly id: bigint;
}

/** Collects the transfers of one event, in order. */
export class Lines {
  readonly transfers: Transfer[] = [];

  constructor(
    private readonly event: StoredEvent,
    private readonly book: Book,
    private readonly amount: AtomicAmount,
  ) {}

  /** @param amount of the line, if it is not that of the event */
  posted(entry: Entry, amount = this.amount): void {
    this.add(entry, 'posted', undefined, amount);
  }

  pending(entry: Entry): Pending {
    return { ...entry, id: this.add(entry, 'pending') };
  }

  post(pending: Pending | undefined): void {
    this.resolve(pending, 'post');
  }

  void(pending: Pending | undefined): void {
    this.resolve(pending, 'void');
  }

  private resolve(pending: Pending | undefined, phase: 'post' | 'void'): void {
    if (!pending) throw new Error(`${this.event.type} at ${this.event.position} finds nothing pending`);
    this.add(pending, phase, pending.id);
  }

  private add({ code, credit, debit }: Entry, phase: Transfer['phase'], resolves?: bigint, amount = this.amount) {
    const id = transferId(this.event.position, this.transfers.length);
    const { book } = this;
    this.transfers.push({ id, book, debit, credit, amount, phase, resolves, code, occurredAt: this.event.occurredAt });
    return id;
  }
}
