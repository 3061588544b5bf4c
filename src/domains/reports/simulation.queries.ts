import type { Pool } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import { newestPosition, positionsBetween } from '../../base/event-store/event-times.js';
import { readFirstEvents } from '../../base/event-store/rows.js';
import type { FreeRequestGranted } from '../payments/free-request.js';
import type { PaymentAuthorized } from '../payments/payment.js';
import type { DeliveredRequest } from './simulation.js';

const PAGE = 2_000n;

export interface DeliveredFilter {
  readonly tenant: string;
  /** By the time of the delivery. */
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
  /** Last position that is read. */
  readonly through: bigint;
}

export interface DeliveredPage {
  /** The last position of the page; everything up to it that matters has been read. */
  readonly position: bigint;
  readonly delivered: readonly { readonly request: DeliveredRequest; readonly at: Date }[];
}

/** The last position of the log, or a position that a caller has seen, whichever is first. */
export async function lastPosition(pool: Pool, seen: bigint | undefined): Promise<bigint> {
  const head = await newestPosition(pool);
  return seen !== undefined && seen < head ? seen : head;
}

/** Delivered requests of a while, paid and free, in pages by position; a page may hold none. */
export async function* readDelivered(
  pool: Pool,
  filter: DeliveredFilter,
  upcast: Upcast,
): AsyncGenerator<DeliveredPage> {
  const { from, tenant, through, to } = filter;
  const { first, last } = await positionsBetween(pool, from, to, through);
  for (let position = first - 1n; position < last; ) {
    const end = position + PAGE < last ? position + PAGE : last;
    const { rows } = await pool.query<{ stream: string; at: Date }>(
      `select stream, occurred_at as at from events
       where position > $1 and position <= $2 and type in ('RequestDelivered', 'FreeRequestDelivered') and tenant = $3
         and occurred_at >= $4 and occurred_at < $5 order by position`,
      [position.toString(), end.toString(), tenant, from, to],
    );
    const streams = rows.map(({ stream }) => stream);
    const begun = rows.length === 0 ? [] : await readFirstEvents(pool, streams, upcast);
    const requests = new Map(begun.map((event) => [event.stream, deliveredRequest(event)]));
    yield {
      position: end === last ? through : end,
      delivered: rows.map(({ at, stream }) => ({ at, request: requests.get(stream)! })),
    };
    position = end;
  }
}

/** Pure: what the first event of a stream, `PaymentAuthorized` or `FreeRequestGranted`, says of its request. */
export function deliveredRequest({ data, type }: Pick<StoredEvent, 'data' | 'type'>): DeliveredRequest {
  if (type === 'FreeRequestGranted') {
    const granted = data as unknown as FreeRequestGranted['data'];
    return { ...granted, asset: caip19(granted), amount: undefined };
  }
  const { terms, ...same } = data as unknown as PaymentAuthorized['data'];
  return { ...same, payer: terms.payer, asset: caip19(terms), amount: terms.amount };
}

function caip19({ asset, network }: { readonly network: string; readonly asset: string }): string {
  return `${network}/erc20:${asset}`;
}
