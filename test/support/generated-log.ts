import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { NewEvent } from '../../src/base/event-store/event.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import {
  type AuthorizationTerms,
  type PaymentEvent,
  paymentIdOf,
  paymentStream,
} from '../../src/domains/payments/payment.js';

/** One row of the log as `insertLog` writes it; its position is its place in the sequence. */
export interface LogRow {
  readonly stream: string;
  readonly version: number;
  readonly tenant: string;
  readonly event: NewEvent;
}

export interface LogShape {
  readonly payments: number;
  /** Different payers, 1,000 unless told. */
  readonly payers?: number;
}

const NETWORK = 'eip155:84532';
const DIGEST = 'A'.repeat(43);
const ASSET: Address = `0x${'5c'.repeat(20)}`;
const SETTLER: Address = `0x${'e5'.repeat(20)}`;
const TENANTS = ['demo', 'weather-co'];
/** How many payments later a request is delivered, submitted and settled: a page of events holds all stages of different payments. */
const DELIVERED_AFTER = 20;
const SETTLED_AFTER = 400;
const BATCH = 40;
const SECONDS_AT_START = 1_790_000_000;

/**
 * The events of so many payments in the order a busy installation writes them: most are settled in batches, some fail,
 * are interrupted, paid before they are answered, or taken back by a reorganization. The same shape gives the same rows.
 */
export function* generatedLog({ payments, payers = 1_000 }: LogShape): Generator<LogRow> {
  const lives = new Map<number, Life>();
  for (let step = 0; step < payments + SETTLED_AFTER + BATCH; step++) {
    if (step < payments) {
      const life = new Life(step, payers);
      lives.set(step, life);
      yield life.authorized();
    }
    yield* lives.get(step - DELIVERED_AFTER)?.delivery() ?? [];
    if (step % BATCH !== 0) continue;
    const batch = Array.from({ length: BATCH }, (_, n) => step - SETTLED_AFTER - n).flatMap((n) => lives.get(n) ?? []);
    for (const life of batch) yield* life.submission();
    for (const life of batch) yield* life.outcome();
    for (const { number } of batch) lives.delete(number);
  }
}

type Kind = 'settled' | 'after' | 'failed' | 'interrupted' | 'unpaid' | 'reverted';

class Life {
  private readonly kind: Kind;
  private readonly terms: AuthorizationTerms;
  private readonly stream: string;
  private readonly tenant: string;
  private version = 0;

  constructor(
    readonly number: number,
    payers: number,
  ) {
    this.kind = kindOf(number % 50);
    this.tenant = TENANTS[number % 7 === 0 ? 1 : 0]!;
    const payer: Address = `0x${digest('payer', number % payers).slice(0, 40)}`;
    const nonce: Hex = `0x${digest('nonce', number)}`;
    this.terms = {
      network: NETWORK,
      asset: ASSET,
      payer,
      payee: `0x${digest(this.tenant, 0).slice(0, 40)}`,
      amount: String(700 + (number % 1_300)),
      validAfter: '0',
      validBefore: '1900000000',
      nonce,
    };
    this.stream = paymentStream(paymentIdOf({ network: NETWORK, asset: ASSET, payer, nonce }));
  }

  authorized(): LogRow {
    const { amount, asset, network, payer } = this.terms;
    const exposure = { key: `exposure/${this.tenant}/${network}/${asset}/${payer}`, amount };
    return this.row({
      type: 'PaymentAuthorized',
      schema: 4,
      data: {
        tenant: this.tenant,
        route: `route-${this.number % 5}`,
        method: 'GET',
        resource: `http://localhost:4020/demo/route-${this.number % 5}`,
        requestDigest: DIGEST,
        payloadDigest: DIGEST,
        x402Version: 2,
        terms: this.terms,
        tariff: { id: 'weather', version: 1 },
        quote: 'B'.repeat(22),
        units: '1',
        authorizedAt: String(SECONDS_AT_START + Math.floor(this.number / 1_000)),
        mode: this.kind === 'after' ? 'after' : 'async',
        idempotent: true,
        gateway: 'C'.repeat(22),
        holds: this.kind === 'after' ? [] : [exposure],
      },
    });
  }

  *delivery(): Generator<LogRow> {
    if (this.kind === 'failed') {
      const data = { reason: 'upstream_timeout', kept: false, latencyMs: 5 } as const;
      yield this.row({ type: 'DeliveryFailed', schema: 1, data });
      return;
    }
    if (this.kind === 'interrupted') {
      yield this.row({ type: 'DeliveryInterrupted', schema: 1, data: { gateway: 'C'.repeat(22) } });
      yield this.row({ type: 'DeliveryRestarted', schema: 1, data: { gateway: 'D'.repeat(22) } });
    }
    const data = { status: 200, responseDigest: DIGEST, bytes: 112, latencyMs: 3, kept: true };
    yield this.row({ type: 'RequestDelivered', schema: 1, data });
  }

  *submission(): Generator<LogRow> {
    if (this.kind === 'failed') return;
    const data = { transaction: this.transaction(), settler: SETTLER, attempt: 1 };
    yield this.row({ type: 'SettlementSubmitted', schema: 1, data });
  }

  *outcome(): Generator<LogRow> {
    if (this.kind === 'failed') return;
    if (this.kind === 'unpaid') {
      yield this.row({ type: 'PaymentSettlementFailed', schema: 1, data: { reason: 'insufficient_funds' } });
      return;
    }
    yield this.settled('block');
    if (this.kind !== 'reverted') return;
    const data = { transaction: this.transaction(), blockHash: this.blockHash('block') };
    yield this.row({ type: 'SettlementReverted', schema: 1, data });
    yield this.settled('another block');
  }

  private settled(block: string): LogRow {
    const blockNumber = String(1 + Math.floor(this.number / BATCH));
    const place = { blockNumber, blockHash: this.blockHash(block), logIndex: this.number % BATCH };
    const data = { transaction: this.transaction(), ...place, by: 'settler' } as const;
    return this.row({ type: 'PaymentSettled', schema: 1, data });
  }

  private transaction(): Hex {
    return `0x${digest('transaction', Math.floor(this.number / BATCH))}`;
  }

  private blockHash(block: string): Hex {
    return `0x${digest(block, Math.floor(this.number / BATCH))}`;
  }

  private row(event: PaymentEvent): LogRow {
    this.version++;
    return { stream: this.stream, version: this.version, tenant: this.tenant, event };
  }
}

function kindOf(fiftieth: number): Kind {
  if (fiftieth < 2) return 'failed';
  if (fiftieth === 2) return 'interrupted';
  if (fiftieth === 3) return 'unpaid';
  if (fiftieth === 4) return 'reverted';
  return fiftieth < 10 ? 'after' : 'settled';
}

function digest(what: string, number: number): string {
  return createHash('sha256').update(`${what} ${number}`).digest('hex');
}

/** Writes rows after what is there, without the event store: as fast as the table takes them. Returns the last position. */
export async function insertLog(client: pg.ClientBase, rows: Iterable<LogRow>, page = 2_000): Promise<bigint> {
  const { rows: found } = await client.query<{ head: string }>('select coalesce(max(position), 0) as head from events');
  let head = BigInt(found[0]!.head);
  for (const batch of pagesOf(rows, page)) {
    await client.query({
      name: 'insert-log',
      text: `insert into events (position, stream, version, type, schema, tenant, data, occurred_at)
        select $1::bigint + n, stream, version, type, schema, tenant, data,
          to_timestamp(${SECONDS_AT_START} + ($1::bigint + n) / 4000)
        from unnest($2::text[], $3::int[], $4::text[], $5::smallint[], $6::text[], $7::jsonb[])
          with ordinality as e (stream, version, type, schema, tenant, data, n)`,
      values: [
        head.toString(),
        batch.map((row) => row.stream),
        batch.map((row) => row.version),
        batch.map((row) => row.event.type),
        batch.map((row) => row.event.schema),
        batch.map((row) => row.tenant),
        batch.map((row) => JSON.stringify(row.event.data)),
      ],
    });
    head += BigInt(batch.length);
  }
  return head;
}

function* pagesOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let page: T[] = [];
  for (const item of items) {
    if (page.push(item) < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
