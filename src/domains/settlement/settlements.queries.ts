import type { Pool } from 'pg';
import type { EventStore } from '../../base/event-store/event-store.js';
import { ofStreams } from '../../base/event-store/stream-key.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import { type PaymentId, paymentOfStream, paymentStream } from '../payments/payment.js';
import { paymentOfRefund } from '../payments/payment.refund.js';
import { NO_TENANT, standingFee } from './network-fee.decide.js';
import { type NetworkFee, type NetworkFeeEvent, networkFeeStream } from './network-fee.js';
import { paymentsIn } from './network-fees.js';
import { attemptThatCounts, type SettlementStatus, type SignedAttempt } from './settlement-status.js';

export interface SettlementFilter {
  readonly network?: string;
  readonly settler?: string;
  readonly status?: SettlementStatus;
  /** That a transaction settles or sends a refund of, whatever became of it. */
  readonly payment?: string;
  /** Signed then or later. */
  readonly since?: Date;
}

/** Where a page ended: when a settlement was first signed, and the hash of that attempt. */
export interface SettlementKey {
  readonly createdAt: string;
  readonly hash: string;
}

/** All that was signed for one nonce of a settler, of which at most one is mined. */
export interface SettlementRow {
  readonly network: Network;
  readonly settler: Address;
  readonly nonce: number;
  /** The oldest first; there is one. */
  readonly attempts: readonly SignedAttempt[];
}

const SAME_SLOT = '(t.network, t.settler, t.nonce) = (f.network, f.settler, f.nonce)';

function someAttempt(condition: string): string {
  return `exists (select from settlement_transactions t where ${SAME_SLOT} and ${condition})`;
}

/** SQL: as `statusOf`, of the slot of `f`. */
const standsAs: Readonly<Record<SettlementStatus, string>> = {
  submitted: someAttempt("t.status = 'submitted'"),
  mined: someAttempt("t.status = 'mined'"),
  failed: someAttempt("t.status = 'lost' and t.block_hash is not null"),
  lost: `not ${someAttempt("(t.status <> 'lost' or t.block_hash is not null)")}`,
};

const attemptsOf = `
  select json_agg(json_build_object(
    'attempt', t.attempt, 'hash', t.hash, 'status', t.status, 'payments', t.payments, 'refunds', t.refunds,
    'createdAt', (extract(epoch from t.created_at) * 1000)::bigint,
    'blockNumber', t.block_number::text, 'blockHash', t.block_hash) order by t.attempt) as attempts
  from settlement_transactions t where ${SAME_SLOT}`;

function read(found: string): string {
  return `select f.network, f.settler, f.nonce::int8, a.attempts from (${found}) f
    cross join lateral (${attemptsOf}) a order by f.created_at desc, f.hash desc`;
}

interface Row extends Omit<SettlementRow, 'nonce'> {
  readonly nonce: string;
}

/** Newest first, from behind a key; one row more than `limit` if there is another page. */
export async function listSettlements(
  pool: Pool,
  { network, payment, settler, since, status }: SettlementFilter,
  after: SettlementKey | undefined,
  limit: number,
): Promise<SettlementRow[]> {
  const { rows } = await pool.query<Row>(
    read(`select * from settlement_transactions f where f.attempt = 1
      and ($1::timestamptz is null or (f.created_at, f.hash) < ($1, $2))
      and ($3::text is null or f.network = $3)
      and ($4::text is null or f.settler = $4)
      and ($5::timestamptz is null or f.created_at >= $5)
      and ($6::text is null or (f.network, f.settler, f.nonce) in (
        select t.network, t.settler, t.nonce from settlement_transactions t
        where t.payments @> array[$6] or t.refunds && array(select r.id from refunds r where r.payment_id = $6)))
      ${status === undefined ? '' : `and ${standsAs[status]}`}
      order by f.created_at desc, f.hash desc limit $7`),
    [after?.createdAt, after?.hash, network, settler, since, payment, limit + 1],
  );
  return rows.map(toSettlement);
}

/** By the hash of any of its attempts. */
export async function findSettlement(pool: Pool, hash: string): Promise<SettlementRow | undefined> {
  const { rows } = await pool.query<Row>(read('select * from settlement_transactions f where f.hash = $1'), [hash]);
  return rows.map(toSettlement)[0];
}

export function settlementKey({ attempts }: SettlementRow): SettlementKey {
  const first = attempts[0]!;
  return { createdAt: new Date(first.createdAt).toISOString(), hash: first.hash };
}

function toSettlement({ attempts, network, nonce, settler }: Row): SettlementRow {
  return { network, settler, nonce: Number(nonce), attempts };
}

/** What the transactions in blocks cost, from the log: the parts of the tenants, by transaction. Gas that is not booked yet is missing. */
export async function feesOf(
  pool: Pool,
  store: Pick<EventStore, 'readStreams'>,
  settlements: readonly SettlementRow[],
): Promise<ReadonlyMap<Hex, readonly ShareOfFee[]>> {
  const mined = settlements.map(({ attempts }) => attemptThatCounts(attempts)).filter(({ blockHash }) => blockHash);
  const owners = await ownersOf(pool, mined.flatMap(paymentsIn));
  const tenants = [...new Set(owners.values()), NO_TENANT];
  const places = mined.flatMap((attempt) => tenants.map((tenant) => ({ attempt, hash: attempt.hash, tenant })));
  const stored = await store.readStreams(places.map(({ hash, tenant }) => networkFeeStream(tenant, hash)));
  const fees = new Map<Hex, ShareOfFee[]>();
  for (const { attempt, hash, tenant } of places) {
    const events = stored.get(networkFeeStream(tenant, hash)) ?? [];
    const fee = standingFee(events as unknown as readonly NetworkFeeEvent[]);
    if (fee === undefined) continue;
    const isTheirs = (payment: PaymentId) => owners.get(payment) === tenant;
    const payments = attempt.payments.filter(isTheirs).length;
    const refunds = attempt.refunds.map(paymentOfRefund).filter(isTheirs).length;
    fees.set(hash, [...(fees.get(hash) ?? []), { ...fee, tenant, payments, refunds }]);
  }
  return fees;
}

/** Whose the payments are; from the log, not from the read model, which lags behind. */
async function ownersOf(pool: Pool, payments: readonly PaymentId[]): Promise<ReadonlyMap<PaymentId, string>> {
  const { rows } = await pool.query<{ tenant: string; stream: string }>({
    name: 'owners-of-payments',
    text: `select tenant, stream from events where ${ofStreams} and version = 1`,
    values: [payments.map(paymentStream)],
  });
  return new Map(rows.map(({ stream, tenant }) => [paymentOfStream(stream), tenant]));
}

/** One tenant's part of a transaction: of its fee, of the payments that it settles and of the refunds that it sends. */
export interface ShareOfFee extends NetworkFee {
  readonly tenant: string;
  readonly payments: number;
  readonly refunds: number;
}
