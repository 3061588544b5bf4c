import { randomBytes } from 'node:crypto';
import type { Failure } from './failures.js';
import type {
  BalanceTransaction,
  Charge,
  Customer,
  Dispute,
  FileSent,
  PaymentIntent,
  PaymentMethod,
  Refund,
  SetupIntent,
  WebhookEvent,
} from './objects.js';
import type { CardOutcome, RefundOutcome } from './outcomes.js';
import type { Webhooks } from './webhooks.js';

export const API_VERSION = '2026-10-28.endive';

/** A request that came, and how it ended; `undefined` while it runs, or if nobody was told. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly key?: string;
  status?: number;
  replayed?: boolean;
}

/** What one secret key can see: the book of a seller at the processor. */
export class Account {
  readonly customers = new Map<string, Customer>();
  readonly methods = new Map<string, PaymentMethod>();
  readonly setups = new Map<string, SetupIntent>();
  readonly intents = new Map<string, PaymentIntent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly disputes = new Map<string, Dispute>();
  readonly movements = new Map<string, BalanceTransaction>();
  readonly files = new Map<string, FileSent>();
  readonly events: WebhookEvent[] = [];
  readonly asked: Asked[] = [];
  /** By payment method, or by default, what its bank says next; the last of them stays. */
  readonly outcomes = new Map<string, CardOutcome[]>();
  readonly refundOutcomes: RefundOutcome[] = [];
  /** Taken by the requests that they are for, in this order. */
  readonly failures: Failure[] = [];
  /** Searching does not find what is newer than this, in milliseconds: it lags behind. */
  searchLagMs = 60_000;
  /** Currency of its balance, if it is another than that of a charge. */
  balanceCurrency: string | undefined;

  constructor(
    readonly secretKey: string,
    readonly webhooks: Webhooks,
  ) {}

  /** Whatever has this id. */
  find(id: string): object | undefined {
    const books = [this.customers, this.methods, this.setups, this.intents, this.charges];
    const others = [this.refunds, this.disputes, this.movements, this.files];
    return [...books, ...others].map((book) => (book as Map<string, object>).get(id)).find(Boolean);
  }

  tell(type: string, object: object): void {
    const event: WebhookEvent = {
      ...{ id: newId('evt'), object: 'event', api_version: API_VERSION, created: seconds(), livemode: false },
      ...{ pending_webhooks: 1, request: { id: null, idempotency_key: null }, type },
      data: { object: structuredClone(object) },
    };
    this.events.push(event);
    this.webhooks.send(event);
  }

  move(entry: Pick<BalanceTransaction, 'amount' | 'fee' | 'currency' | 'type' | 'reporting_category' | 'source'>) {
    const [amount, currency] = [entry.amount, this.balanceCurrency ?? entry.currency];
    const made: BalanceTransaction = {
      ...{ ...entry, currency, id: newId('txn'), object: 'balance_transaction', created: seconds() },
      net: amount - entry.fee,
    };
    this.movements.set(made.id, made);
    return made;
  }
}

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** What all objects have. */
export function thing<O extends string>(object: O, prefix: string, metadata: Record<string, string> = {}) {
  return { id: newId(prefix), object, created: seconds(), livemode: false as const, metadata };
}
