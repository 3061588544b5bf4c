import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import type { ApplyEvents, Projection } from '../../base/event-store/projection-runner.js';
import { type EventRow, eventColumns, toStoredEvent } from '../../base/event-store/rows.js';
import { ofStreams } from '../../base/event-store/stream-key.js';
import { AccountNumbers } from './account-numbers.js';
import { type CardBook, cardTypes, isOfCard, postCard } from './card-postings.js';
import { type CommitmentBook, commitmentTypes, isCommitment, postCommitment } from './commitment-postings.js';
import { type InvoiceBook, invoiceTypes, isOfInvoice, postInvoice } from './invoice-postings.js';
import { isNetworkFee, networkFeeTypes, postNetworkFee } from './network-fee-postings.js';
import { paymentTypes } from './payment-entries.js';
import { type PaymentBook, postPayment } from './payment-postings.js';
import type { Transfer } from './transfer.js';
import { isOfWallet, postOfWallet, walletTypes } from './transfer-postings.js';
import { insertTransfers } from './transfer-rows.js';

/** What moves value step by step, so that a step is posted by those before it. */
const steppedTypes = [...paymentTypes, ...commitmentTypes, ...invoiceTypes, ...cardTypes];

/** Payments, commitments and invoices remembered between batches: more than are open at once in busy times, a few megabytes. */
const PAYMENTS_MAX = 20_000;

/** Of its checkpoint. */
export const LEDGER = 'ledger';
export const ledgerTables = ['ledger_books', 'ledger_accounts', 'ledger_transfers', 'ledger_activity'] as const;

/** A payment or commitment as it stands after the event of this version. */
interface Remembered {
  readonly version: number;
  readonly state: PaymentBook | CommitmentBook | InvoiceBook | CardBook;
}
type Memory = LRUCache<string, Remembered>;

/**
 * Posts every event that moves value. README.md has the table of postings and the invariants.
 *
 * @param upcast for the events that it reads itself
 * @param remembered most payments whose state is kept between batches; the others are read again
 */
export function ledgerProjection(upcast: Upcast, remembered = PAYMENTS_MAX): Projection {
  return {
    name: LEDGER,
    version: 1,
    lagMs: 250,
    tables: ledgerTables,
    types: [...steppedTypes, ...networkFeeTypes, ...walletTypes],
    begin: () => postings(upcast, new LRUCache({ max: remembered })),
  };
}

function postings(upcast: Upcast, memory: Memory): ApplyEvents {
  const numbers = new AccountNumbers();
  return async (client, events) => {
    const payments = await paymentsBefore(client, events, memory, upcast);
    const transfers = events.flatMap((event) => postEvent(event, payments));
    if (transfers.length > 0) await insertTransfers(client, transfers, await numbers.of(client, transfers));
    for (const [stream, payment] of payments) memory.set(stream, payment);
  };
}

function postEvent(event: StoredEvent, payments: Map<string, Remembered>): readonly Transfer[] {
  if (isNetworkFee(event)) return postNetworkFee(event);
  if (isOfWallet(event)) return postOfWallet(event);
  const { state, transfers } = postStep(payments.get(event.stream)?.state, event);
  payments.set(event.stream, { version: event.version, state });
  return transfers;
}

/** A stream's first event says what it is, and no other kind comes after it. */
function postStep(state: Remembered['state'] | undefined, event: StoredEvent) {
  if (isOfInvoice(event)) return postInvoice(state as InvoiceBook | undefined, event);
  if (isOfCard(event)) return postCard(state as CardBook | undefined, event);
  return isCommitment(event)
    ? postCommitment(state as CommitmentBook | undefined, event)
    : postPayment(state as PaymentBook | undefined, event);
}

/**
 * The batch's payments as they stand before it. What is remembered counts only if it is of the version right before:
 * another process may have posted events since, or these ones already.
 */
async function paymentsBefore(
  client: PoolClient,
  events: readonly StoredEvent[],
  memory: Memory,
  upcast: Upcast,
): Promise<Map<string, Remembered>> {
  const before = new Map<string, Remembered>();
  const missing = new Map<string, number>();
  const seen = new Set<string>();
  for (const event of events) {
    if (seen.has(event.stream) || isNetworkFee(event) || isOfWallet(event)) continue;
    seen.add(event.stream);
    const payment = memory.get(event.stream);
    if (payment?.version === event.version - 1) before.set(event.stream, payment);
    else if (event.version > 1) missing.set(event.stream, event.version);
  }
  if (missing.size > 0) await readPayments(client, missing, upcast, before);
  return before;
}

/** Folds the events of each stream from before the version given. */
async function readPayments(
  client: PoolClient,
  missing: ReadonlyMap<string, number>,
  upcast: Upcast,
  into: Map<string, Remembered>,
): Promise<void> {
  const { rows } = await client.query<EventRow>({
    name: 'ledger-earlier-events',
    text: `select ${eventColumns} from events where ${ofStreams} and type = any($2::text[])
           order by stream, version`,
    values: [[...missing.keys()], steppedTypes],
  });
  for (const event of rows.map((row) => upcast(toStoredEvent(row)))) {
    if (event.version < missing.get(event.stream)!) postEvent(event, into);
  }
}
