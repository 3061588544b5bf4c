import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import type { Payment, PaymentEvent } from './payment.js';

/** The part of a row that events after the first one change. */
interface Progress {
  id: string;
  state: Payment['status'];
  gateway?: string;
  reason?: string;
  httpStatus?: number;
  transaction?: string;
  deliveredAt?: Date;
  settledAt?: Date;
  position: bigint;
  at: Date;
}

/** One row per payment: for lists, for the sweeper that looks for dead gateways, and for the settlement sweep. */
export const paymentsProjection: Projection = {
  name: 'payments',
  version: 1,
  types: [
    'PaymentAuthorized',
    'RequestDelivered',
    'DeliveryFailed',
    'DeliveryInterrupted',
    'DeliveryRestarted',
    'SettlementSubmitted',
    'PaymentSettled',
    'PaymentSettlementFailed',
    'SettlementReverted',
  ] satisfies PaymentEvent['type'][],

  async apply(client, events) {
    const authorized = events.filter((event) => event.type === 'PaymentAuthorized');
    if (authorized.length > 0) await insertAuthorized(client, authorized);
    const progress = new Map<string, Progress>();
    for (const event of events) {
      if (event.type === 'PaymentAuthorized') continue;
      const id = event.stream.slice('payment/'.length);
      progress.set(id, {
        ...progress.get(id),
        ...progressOf(event),
        id,
        position: event.position,
        at: event.occurredAt,
      });
    }
    if (progress.size > 0) await update(client, [...progress.values()]);
  },

  async reset(client) {
    await client.query('truncate payments');
  },
};

/** Pure: what one event changes. */
export function progressOf(stored: StoredEvent): Pick<Progress, 'state'> & Partial<Progress> {
  const event = { type: stored.type, data: stored.data } as unknown as Exclude<
    PaymentEvent,
    { type: 'PaymentAuthorized' }
  >;
  switch (event.type) {
    case 'RequestDelivered':
      return { state: 'delivered', httpStatus: event.data.status, deliveredAt: stored.occurredAt };
    case 'DeliveryFailed':
      return { state: 'released', reason: event.data.reason, httpStatus: event.data.status };
    case 'DeliveryInterrupted':
      return { state: 'interrupted', reason: 'interrupted' };
    case 'DeliveryRestarted':
      return { state: 'authorized', gateway: event.data.gateway, reason: '' };
    case 'SettlementSubmitted':
      return { state: 'submitted', transaction: event.data.transaction };
    case 'PaymentSettled':
      return { state: 'settled', transaction: event.data.transaction, settledAt: stored.occurredAt };
    case 'PaymentSettlementFailed':
      return { state: 'settlement_failed', reason: event.data.reason };
    case 'SettlementReverted':
      return { state: 'submitted' };
  }
}

async function insertAuthorized(client: PoolClient, events: readonly StoredEvent[]): Promise<void> {
  const rows = events.map((event) => {
    const data = event.data as unknown as Extract<PaymentEvent, { type: 'PaymentAuthorized' }>['data'];
    return {
      id: event.stream.slice('payment/'.length),
      tenant: data.tenant,
      route: data.route,
      method: data.method,
      mode: data.mode,
      payer: data.terms.payer,
      payee: data.terms.payee,
      network: data.terms.network,
      asset: data.terms.asset,
      amount: data.terms.amount,
      valid_before: data.terms.validBefore,
      gateway: data.gateway,
      position: event.position.toString(),
      authorized_at: event.occurredAt,
    };
  });
  const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
  await client.query({
    name: 'payments-insert',
    text: `insert into payments (id, tenant, route, method, mode, payer, payee, network, asset, amount, valid_before,
             gateway, position, authorized_at, updated_at, state)
           select *, u.authorized_at, 'authorized' from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
             $6::text[], $7::text[], $8::text[], $9::text[], $10::numeric[], $11::bigint[], $12::text[], $13::bigint[],
             $14::timestamptz[]) as u (id, tenant, route, method, mode, payer, payee, network, asset, amount,
             valid_before, gateway, position, authorized_at)`,
    values: [
      column('id'),
      column('tenant'),
      column('route'),
      column('method'),
      column('mode'),
      column('payer'),
      column('payee'),
      column('network'),
      column('asset'),
      column('amount'),
      column('valid_before'),
      column('gateway'),
      column('position'),
      column('authorized_at'),
    ],
  });
}

async function update(client: PoolClient, rows: readonly Progress[]): Promise<void> {
  await client.query({
    name: 'payments-update',
    text: `update payments p set state = u.state, gateway = coalesce(u.gateway, p.gateway),
             reason = nullif(coalesce(u.reason, p.reason), ''), http_status = coalesce(u.http_status, p.http_status),
             transaction = coalesce(u.transaction, p.transaction),
             delivered_at = coalesce(u.delivered_at, p.delivered_at),
             settled_at = case when u.state = 'settled' then coalesce(u.settled_at, p.settled_at) end,
             position = u.position, updated_at = u.at
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::timestamptz[],
             $8::timestamptz[], $9::bigint[], $10::timestamptz[])
             as u (id, state, gateway, reason, http_status, transaction, delivered_at, settled_at, position, at)
           where p.id = u.id`,
    values: [
      rows.map((row) => row.id),
      rows.map((row) => row.state),
      rows.map((row) => row.gateway ?? null),
      rows.map((row) => row.reason ?? null),
      rows.map((row) => row.httpStatus ?? null),
      rows.map((row) => row.transaction ?? null),
      rows.map((row) => row.deliveredAt ?? null),
      rows.map((row) => row.settledAt ?? null),
      rows.map((row) => row.position.toString()),
      rows.map((row) => row.at),
    ],
  });
}
