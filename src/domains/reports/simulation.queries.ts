import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import { readFirstEvents } from '../../base/event-store/rows.js';
import type { PaymentAuthorized } from '../payments/payment.js';

const PAGE = 2_000;

export interface ChargedFilter {
  readonly tenant: string;
  /** By the time of the delivery. */
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
  /** Last position that is read. */
  readonly through: bigint;
}

export interface ChargedPage {
  /** The last position of the page; everything up to it has been read. */
  readonly position: bigint;
  readonly charged: readonly { readonly authorized: PaymentAuthorized['data']; readonly at: Date }[];
}

/** The last position of the log, or a position that a caller has seen, whichever is first. */
export async function lastPosition(pool: Pool, seen: bigint | undefined): Promise<bigint> {
  const { rows } = await pool.query<{ head: string }>('select coalesce(max(position), 0)::text as head from events');
  const head = BigInt(rows[0]!.head);
  return seen !== undefined && seen < head ? seen : head;
}

/** Delivered payments of a while, in pages by position; a page may hold none. */
export async function* readCharged(pool: Pool, filter: ChargedFilter, upcast: Upcast): AsyncGenerator<ChargedPage> {
  const { from, tenant, through, to } = filter;
  for (let position = 0n; position < through; ) {
    const end = position + BigInt(PAGE) < through ? position + BigInt(PAGE) : through;
    const { rows } = await pool.query<{ stream: string; at: Date }>(
      `select stream, occurred_at as at from events
       where position > $1 and position <= $2 and type = 'RequestDelivered' and tenant = $3
         and occurred_at >= $4 and occurred_at < $5 order by position`,
      [position.toString(), end.toString(), tenant, from, to],
    );
    const streams = rows.map(({ stream }) => stream);
    const first = rows.length === 0 ? [] : await readFirstEvents(pool, streams, upcast);
    const authorized = new Map(
      first.map((event) => [event.stream, event.data as unknown as PaymentAuthorized['data']]),
    );
    yield { position: end, charged: rows.map(({ at, stream }) => ({ at, authorized: authorized.get(stream)! })) };
    position = end;
  }
}
