import type { PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import { type EventRow, eventColumns, toStoredEvent } from '../../base/event-store/rows.js';
import { ofStreams } from '../../base/event-store/stream-key.js';
import { evolvePayment, initialPayment } from './payment.evolve.js';
import { type Payment, type PaymentAuthorized, type PaymentEvent, paymentOfStream } from './payment.js';
import { refundTypes } from './refund.js';

/** Every event of a payment's stream. */
export const paymentEventTypes = [
  'PaymentAuthorized',
  'DeliveryStarted',
  'RequestDelivered',
  'DeliveryFailed',
  'DeliveryInterrupted',
  'DeliveryRestarted',
  'SettlementHeld',
  'SettlementSubmitted',
  'SettlementDelegated',
  'PaymentSettled',
  'PaymentSettlementFailed',
  'SettlementReverted',
  ...refundTypes,
] as const satisfies PaymentEvent['type'][];

/** A payment, and when the last of its events happened. */
export interface Standing {
  readonly payment: Payment;
  readonly at: Date;
}

/**
 * Where those payments stand after a batch of events that are settled before their request runs. What one of their events
 * means depends on those before it, which are read; of other modes nothing is.
 */
export async function statesOfBefore(
  client: PoolClient,
  events: readonly StoredEvent[],
  upcast: Upcast,
): Promise<ReadonlyMap<string, Standing>> {
  const states = new Map<string, Payment>();
  const first = new Map<string, number>();
  for (const { data, stream, type, version } of events) {
    if (type !== 'PaymentAuthorized') first.set(stream, Math.min(version, first.get(stream) ?? version));
    else if ((data as unknown as PaymentAuthorized['data']).mode === 'before') states.set(stream, initialPayment);
  }
  for (const { stream, type } of events) if (type === 'PaymentAuthorized') first.delete(stream);
  if (first.size > 0) await readEarlier(client, first, upcast, states);
  for (const event of events) apply(states, event);
  const last = new Map(events.map(({ occurredAt, stream }) => [stream, occurredAt]));
  return new Map([...states].map(([stream, payment]) => [stream, { payment, at: last.get(stream)! }]));
}

/** Folds what comes before the batch, of payments whose row says that they are of this mode. */
async function readEarlier(
  client: PoolClient,
  first: ReadonlyMap<string, number>,
  upcast: Upcast,
  states: Map<string, Payment>,
): Promise<void> {
  const { rows: found } = await client.query<{ stream: string }>({
    name: 'payments-of-before',
    text: `select 'payment/' || id as stream from payments where id = any($1::text[]) and mode = 'before'`,
    values: [[...first.keys()].map(paymentOfStream)],
  });
  if (found.length === 0) return;
  const { rows } = await client.query<EventRow>({
    name: 'payments-earlier-events',
    text: `select ${eventColumns} from events where ${ofStreams} order by stream, version`,
    values: [found.map(({ stream }) => stream)],
  });
  for (const { stream } of found) states.set(stream, initialPayment);
  for (const event of rows.map((row) => upcast(toStoredEvent(row)))) {
    if (event.version < first.get(event.stream)!) apply(states, event);
  }
}

function apply(states: Map<string, Payment>, { data, stream, type }: StoredEvent): void {
  const state = states.get(stream);
  if (state) states.set(stream, evolvePayment(state, { type, data } as unknown as PaymentEvent));
}
