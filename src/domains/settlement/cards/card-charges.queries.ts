import type { Pool } from 'pg';
import type { Prisma } from '../../../base/platform/prisma.js';
import type { CardAccount, CardCharge, CardDispute } from '../../../generated/prisma/client.js';

/** Charges of which something has to be asked; looked at in one turn. */
const TURN = 500;

/** What has to be asked of one charge; two of the same are one. */
export interface OpenCharge {
  readonly id: string;
  readonly tenant: string;
  readonly kind: string;
}

/** Also of a fee that is not known, for a week. @param now epoch milliseconds */
export async function openCharges(pool: Pick<Pool, 'query'>, now: number): Promise<readonly OpenCharge[]> {
  const { rows } = await pool.query<OpenCharge>({
    name: 'open-card-charges',
    text: `select c.id, c.tenant, concat_ws('-', c.state, c.refunding, c.disputed) as kind
           from card_charges c join card_accounts a on a.tenant = c.tenant
           where c.state in ('requested', 'submitted') or c.refunding or c.disputed
             or c.state = 'succeeded' and c.fee is null and c.updated_at > $1::timestamptz - interval '7 days'
           order by c.position limit $2`,
    values: [new Date(now), TURN],
  });
  return rows;
}

/** The charge that the processor knows by this id; `unknown` while it could be one whose answer is not written down yet. */
export async function chargeOf(
  pool: Pick<Pool, 'query'>,
  tenant: string,
  processorId: string,
): Promise<string | 'unknown' | undefined> {
  const text = `select coalesce(
    (select id from card_charges where tenant = $1 and processor_id = $2 limit 1),
    (select 'unknown' from card_charges where tenant = $1 and state in ('requested', 'submitted') limit 1)) as id`;
  return (await pool.query<{ id: string | null }>(text, [tenant, processorId])).rows[0]?.id ?? undefined;
}

/** Whose newest setup the processor knows by this id, if it is not completed. */
export async function waitingFor(
  pool: Pick<Pool, 'query'>,
  tenant: string,
  processorId: string,
): Promise<string | undefined> {
  const text = 'select customer from card_setups where tenant = $1 and processor_id = $2 and not completed';
  return (await pool.query<{ customer: string }>(text, [tenant, processorId])).rows[0]?.customer;
}

/** Amounts in minor units. */
export interface CardChargeView {
  readonly id: string;
  readonly tenant: string;
  readonly customer: string;
  readonly invoice: string;
  readonly attempt: number;
  readonly amount: string;
  readonly currency: string;
  readonly state: string;
  /** Why it was declined last, in the processor's word. */
  readonly decline_code: string | null;
  readonly processor_id: string | null;
  readonly fee: string | null;
  readonly refunded: string;
  readonly refunding: boolean;
  readonly disputed: boolean;
  readonly requested_at: string;
  readonly updated_at: string;
}

export interface DisputeView {
  readonly id: string;
  readonly charge: string;
  readonly tenant: string;
  readonly customer: string;
  readonly invoice: string;
  readonly amount: string;
  readonly fee: string;
  readonly currency: string;
  readonly reason: string;
  readonly state: string;
  readonly evidence_due: string | null;
  /** SHA-256 of what was submitted last, base64url. */
  readonly evidence_digest: string | null;
}

export interface CardFilter {
  readonly tenant?: string;
  readonly customer?: string;
  readonly invoice?: string;
  readonly state?: string;
}

export function findCardAccount(prisma: Prisma, tenant: string): Promise<Omit<CardAccount, 'secrets'> | null> {
  return prisma.cardAccount.findUnique({ where: { tenant }, omit: { secrets: true } });
}

export function findCardCharge(prisma: Prisma, id: string): Promise<CardCharge | null> {
  return prisma.cardCharge.findUnique({ where: { id } });
}

/** Newest first, from before a position; one row more than `limit` if there is another page. */
export function listCardCharges(
  prisma: Prisma,
  filter: CardFilter,
  before: bigint | undefined,
  limit: number,
): Promise<CardCharge[]> {
  const earlier = before === undefined ? {} : { position: { lt: before } };
  const where = { ...filter, ...earlier };
  return prisma.cardCharge.findMany({ where, orderBy: { position: 'desc' }, take: limit + 1 });
}

export function findDispute(prisma: Prisma, dispute: string): Promise<CardDispute | null> {
  return prisma.cardDispute.findFirst({ where: { dispute } });
}

/** By charge and id. */
export function listDisputes(
  prisma: Prisma,
  filter: CardFilter,
  after: readonly string[] | undefined,
  limit: number,
): Promise<CardDispute[]> {
  const [charge, dispute] = after ?? [];
  const later = after === undefined ? {} : { OR: [{ charge: { gt: charge } }, { charge, dispute: { gt: dispute } }] };
  const orderBy = [{ charge: 'asc' }, { dispute: 'asc' }] as const;
  return prisma.cardDispute.findMany({ where: { ...filter, ...later }, orderBy: [...orderBy], take: limit + 1 });
}

export function cardChargeKey({ position }: CardCharge): readonly string[] {
  return [position.toString()];
}

export function disputeKey({ charge, dispute }: CardDispute): readonly string[] {
  return [charge, dispute];
}

export function cardChargeView(row: CardCharge): CardChargeView {
  const { attempt, currency, customer, disputed, id, invoice, refunding, state, tenant } = row;
  return {
    ...{ id, tenant, customer, invoice, attempt, amount: row.amount.toFixed(), currency, state },
    ...{ decline_code: row.code, processor_id: row.processorId, fee: row.fee?.toFixed() ?? null },
    ...{ refunded: row.refunded.toFixed(), refunding, disputed },
    ...{ requested_at: row.requestedAt.toISOString(), updated_at: row.updatedAt.toISOString() },
  };
}

export function disputeView(row: CardDispute): DisputeView {
  const { charge, currency, customer, dispute, evidence, evidenceDue, invoice, reason, state, tenant } = row;
  return {
    ...{ id: dispute, charge, tenant, customer, invoice, amount: row.amount.toFixed(), fee: row.fee.toFixed() },
    ...{ currency, reason, state, evidence_due: evidenceDue, evidence_digest: evidence },
  };
}
