import type { PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { type Payment, type PaymentAuthorized, type PaymentEvent, paymentOfStream } from './payment.js';
import { paymentEventTypes, statesOfBefore } from './payments-before.js';
import { type RefundEvent, refundTypes } from './refund.js';
import { settlementOf } from './settle.decide.js';

/** The part of a row that events after the first one change. */
interface Progress {
  /** A refund leaves it as it is. */
  readonly state?: Payment['status'];
  /** Whether a settlement stands; as it was if absent. */
  readonly settled?: boolean;
  readonly gateway?: string;
  readonly reason?: string;
  readonly httpStatus?: number;
  readonly transaction?: string;
  readonly deliveredAt?: Date;
  readonly settledAt?: Date;
  /** Atomic units sent back. */
  readonly refunded?: bigint;
  readonly at: Date;
}

/**
 * One row per payment: for lists, for the sweeper that looks for dead gateways, and for the settlement sweep.
 *
 * @param upcast for the events that it reads itself
 */
export function paymentsProjection(upcast: Upcast): Projection {
  return {
    name: 'payments',
    version: 3,
    lagMs: 250,
    tables: ['payments'],
    types: [...paymentEventTypes],
    begin: () => async (client, events) => {
      const progress = progressIn(events.filter(isListed));
      for (const [stream, { at, payment }] of await statesOfBefore(client, events, upcast)) {
        progress.set(stream, { ...progress.get(stream), ...standingOf(payment), at });
      }
      // What began in this batch is inserted as it stands at its end, which saves most updates.
      const begun = events.filter((event) => event.type === 'PaymentAuthorized');
      if (begun.length > 0) await insert(client, begun, progress);
      for (const event of begun) progress.delete(event.stream);
      if (progress.size > 0) await update(client, progress);
    },
  };
}

function progressIn(events: readonly StoredEvent[]): Map<string, Progress> {
  const progress = new Map<string, Progress>();
  for (const event of events) {
    const before = progress.get(event.stream);
    const change = progressOf(event);
    const refunded = (before?.refunded ?? 0n) + (change.refunded ?? 0n);
    const settled = change.state === undefined ? before?.settled : change.state === 'settled';
    progress.set(event.stream, { ...before, ...change, refunded, settled, at: event.occurredAt });
  }
  return progress;
}

/** Of a payment in mode `before`: what an event means depends on those before it. An empty reason clears it. */
function standingOf(payment: Payment): Pick<Progress, 'state' | 'reason' | 'settled'> {
  return { state: payment.status, reason: reasonOf(payment) ?? '', settled: settlementOf(payment) !== undefined };
}

function reasonOf(payment: Payment): string | undefined {
  if ('failed' in payment) return payment.failed.reason;
  if ('reason' in payment) return payment.reason;
  return 'held' in payment ? payment.held?.reason : undefined;
}

/** What a row shows of any payment. */
type Listed = Exclude<PaymentEvent, RefundEvent> | Extract<RefundEvent, { type: 'PaymentRefunded' | 'RefundReverted' }>;

function isListed({ type }: StoredEvent): boolean {
  return type === 'PaymentRefunded' || type === 'RefundReverted' || !(refundTypes as readonly string[]).includes(type);
}

/** Pure: what one event changes. */
export function progressOf(stored: StoredEvent): Omit<Progress, 'at'> {
  const event = { type: stored.type, data: stored.data } as unknown as Listed;
  switch (event.type) {
    case 'PaymentAuthorized':
      return { state: 'authorized', gateway: event.data.gateway };
    case 'DeliveryStarted':
      return { state: 'delivering', gateway: event.data.gateway };
    case 'RequestDelivered':
      return { state: 'delivered', httpStatus: event.data.status, deliveredAt: stored.occurredAt };
    case 'DeliveryFailed':
      return { state: 'released', reason: event.data.reason, httpStatus: event.data.status };
    case 'DeliveryInterrupted':
      return { state: 'interrupted', reason: 'interrupted' };
    case 'DeliveryRestarted':
      return { state: 'authorized', gateway: event.data.gateway, reason: '' };
    case 'SettlementHeld':
      return { state: 'delivered', reason: event.data.reason };
    case 'SettlementSubmitted':
      return { state: 'submitted', transaction: event.data.transaction, reason: '' };
    case 'SettlementDelegated':
      return { state: 'submitted', reason: '' };
    case 'PaymentSettled':
      return { state: 'settled', reason: '', transaction: event.data.transaction, settledAt: stored.occurredAt };
    case 'PaymentSettlementFailed':
      return { state: 'settlement_failed', reason: event.data.reason };
    case 'SettlementReverted':
      return { state: 'submitted' };
    case 'PaymentRefunded':
      return { refunded: BigInt(event.data.amount) };
    case 'RefundReverted':
      return { refunded: -BigInt(event.data.amount) };
  }
}

/** Columns that progress changes, in the order of `progressTypes`. An empty reason clears it. */
const progressColumns = (rows: readonly Progress[]): unknown[] => [
  rows.map((row) => row.state ?? null),
  rows.map((row) => row.gateway ?? null),
  rows.map((row) => row.reason ?? null),
  rows.map((row) => row.httpStatus ?? null),
  rows.map((row) => row.transaction ?? null),
  rows.map((row) => row.deliveredAt ?? null),
  rows.map((row) => row.settledAt ?? null),
  rows.map((row) => (row.refunded ?? 0n).toString()),
  rows.map((row) => row.at),
  rows.map((row) => row.settled ?? null),
];
const progressNames =
  'state, gateway, reason, http_status, transaction, delivered_at, settled_at, refunded, updated_at, settled';
const progressTypes =
  '$1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::numeric[], $9::timestamptz[], $10::bool[]';

async function insert(
  client: PoolClient,
  events: readonly StoredEvent[],
  progress: ReadonlyMap<string, Progress>,
): Promise<void> {
  const data = events.map((event) => event.data as unknown as PaymentAuthorized['data']);
  await client.query({
    name: 'payments-insert',
    text: `insert into payments (state, gateway, reason, http_status, transaction, delivered_at, settled_at, refunded, updated_at,
             id, tenant, route, method, mode, payer, payee, network, asset, amount, valid_before, position, authorized_at)
           select state, gateway, nullif(reason, ''), http_status, transaction, delivered_at,
             case when settled then settled_at end, refunded, updated_at,
             id, tenant, route, method, mode, payer, payee, network, asset, amount, valid_before, position, authorized_at
           from unnest(${progressTypes}, $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
             $17::text[], $18::text[], $19::text[], $20::numeric[], $21::bigint[], $22::bigint[], $23::timestamptz[])
             as u (${progressNames}, id, tenant, route, method, mode, payer, payee, network, asset, amount, valid_before,
               position, authorized_at)`,
    values: [
      ...progressColumns(events.map((event) => progress.get(event.stream)!)),
      events.map((event) => paymentOfStream(event.stream)),
      data.map((one) => one.tenant),
      data.map((one) => one.route),
      data.map((one) => one.method),
      data.map((one) => one.mode),
      data.map((one) => one.terms.payer),
      data.map((one) => one.terms.payee),
      data.map((one) => one.terms.network),
      data.map((one) => one.terms.asset),
      data.map((one) => one.terms.amount),
      data.map((one) => one.terms.validBefore),
      events.map((event) => event.position.toString()),
      events.map((event) => event.occurredAt),
    ],
  });
}

async function update(client: PoolClient, progress: ReadonlyMap<string, Progress>): Promise<void> {
  const rows = [...progress.values()];
  await client.query({
    name: 'payments-update',
    text: `update payments p set state = coalesce(u.state, p.state), updated_at = u.updated_at, gateway = coalesce(u.gateway, p.gateway),
             reason = nullif(coalesce(u.reason, p.reason), ''), http_status = coalesce(u.http_status, p.http_status),
             transaction = coalesce(u.transaction, p.transaction),
             delivered_at = coalesce(u.delivered_at, p.delivered_at),
             settled_at = case when coalesce(u.settled, p.settled_at is not null) then coalesce(u.settled_at, p.settled_at) end,
             refunded = p.refunded + u.refunded
           from unnest(${progressTypes}, $11::text[]) as u (${progressNames}, id) where p.id = u.id`,
    values: [...progressColumns(rows), [...progress.keys()].map(paymentOfStream)],
  });
}
