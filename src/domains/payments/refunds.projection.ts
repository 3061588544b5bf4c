import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { paymentOfStream } from './payment.js';
import {
  type PaymentRefunded,
  type RefundEvent,
  type RefundRequested,
  type RefundReverted,
  refundTypes,
  unaskedRefundId,
} from './refund.js';

/** One row per refund: for the payment's view, for the worker that sends and finds them, for metrics. */
export const refundsProjection: Projection = {
  name: 'refunds',
  version: 1,
  lagMs: 250,
  tables: ['refunds'],
  types: refundTypes,

  begin: () => async (client, events) => {
    // In order: the row of a refund is inserted by one event and moved by the next.
    for (const event of events) await apply(client, event);
  },
};

async function apply(client: PoolClient, stored: StoredEvent): Promise<void> {
  const event = { type: stored.type, data: stored.data } as unknown as RefundEvent;
  const at = stored.occurredAt;
  switch (event.type) {
    case 'RefundRequested':
      return insertRequested(client, stored, event);
    case 'RefundSubmitted':
      return move(client, event.data.refund, 'sent', null, null, at);
    case 'RefundCancelled':
      return move(client, event.data.refund, 'cancelled', null, null, at);
    case 'RefundFailed':
      return move(client, event.data.refund, 'failed', event.data.reason, null, at);
    case 'PaymentRefunded':
      if (event.data.refund === undefined) return insertUnasked(client, stored, event);
      return move(client, event.data.refund, 'refunded', null, event.data, at);
    case 'RefundReverted':
      return takeBack(client, stored, event);
  }
}

const columns = `id, payment_id, tenant, amount, source, sender, reason, valid_before, state, transaction, block_number, position,
  requested_at, updated_at`;

async function insertRequested(client: PoolClient, stored: StoredEvent, { data }: RefundRequested): Promise<void> {
  await client.query({
    name: 'refunds-insert-requested',
    text: `insert into refunds (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', null, null, $9, $10, $10)`,
    values: [
      data.refund,
      paymentOfStream(stored.stream),
      stored.tenant,
      data.amount,
      data.from,
      data.sender,
      data.reason,
      data.validBefore,
      stored.position.toString(),
      stored.occurredAt,
    ],
  });
}

async function insertUnasked(client: PoolClient, stored: StoredEvent, { data }: PaymentRefunded): Promise<void> {
  const payment = paymentOfStream(stored.stream);
  await client.query({
    name: 'refunds-insert-unasked',
    text: `insert into refunds (${columns}) values ($1, $2, $3, $4, $5, $6, null, null, 'refunded', $7, $8, $9, null, $10)`,
    values: [
      unaskedRefundId(payment, data),
      payment,
      stored.tenant,
      data.amount,
      data.sender === undefined ? 'payee' : 'refund_wallet',
      data.sender,
      data.transaction,
      data.blockNumber,
      stored.position.toString(),
      stored.occurredAt,
    ],
  });
}

async function move(
  client: PoolClient,
  id: string,
  state: string,
  failure: string | null,
  place: PaymentRefunded['data'] | null,
  at: Date,
): Promise<void> {
  await client.query({
    name: 'refunds-move',
    text: `update refunds set state = $2, failure = $3, transaction = $4, block_number = $5, updated_at = $6 where id = $1`,
    values: [id, state, failure, place?.transaction, place?.blockNumber, at],
  });
}

async function takeBack(client: PoolClient, stored: StoredEvent, { data }: RefundReverted): Promise<void> {
  if (data.refund === undefined) {
    await client.query('delete from refunds where id = $1', [unaskedRefundId(paymentOfStream(stored.stream), data)]);
  } else {
    await move(client, data.refund, data.sender === undefined ? 'requested' : 'sent', null, null, stored.occurredAt);
  }
}
