import type { Prisma } from '../../base/platform/prisma.js';
import type { Commitment as CommitmentRow } from '../../generated/prisma/client.js';

export interface CommitmentFilter {
  readonly tenant?: string;
  readonly customer?: string;
  readonly route?: string;
  readonly state?: string;
}

/** Newest first, from before a log position; one row more than `limit` if there is another page. */
export function listCommitments(prisma: Prisma, filter: CommitmentFilter, before: bigint | undefined, limit: number) {
  return prisma.commitment.findMany({
    where: { ...filter, ...(before === undefined ? {} : { position: { lt: before } }) },
    orderBy: { position: 'desc' },
    take: limit + 1,
  });
}

export function findCommitment(prisma: Prisma, id: string): Promise<CommitmentRow | null> {
  return prisma.commitment.findUnique({ where: { id } });
}

export interface CommitmentView {
  readonly id: string;
  readonly tenant: string;
  readonly customer: string;
  readonly route: string;
  readonly method: string;
  readonly state: string;
  readonly currency: string;
  /** The most that it may cost, and what it costs; atomic units. */
  readonly amount: string;
  readonly charged: string | null;
  readonly units: string | null;
  readonly tariff: { readonly id: string; readonly version: number };
  readonly http_status: number | null;
  readonly reason: string | null;
  readonly accepted_at: string;
  readonly ended_at: string | null;
}

export function commitmentView(row: CommitmentRow): CommitmentView {
  const { currency, customer, id, method, reason, route, state, tenant } = row;
  return {
    ...{ id, tenant, customer, route, method, state, currency },
    ...{ amount: row.amount.toFixed(), charged: row.charged?.toFixed() ?? null, units: row.units?.toFixed() ?? null },
    tariff: { id: row.tariff, version: row.tariffVersion },
    ...{ http_status: row.httpStatus, reason },
    accepted_at: row.acceptedAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
  };
}

/** What was signed: with the key it proves, to anybody, that the customer committed to the request. */
export interface EvidenceView {
  /** RFC 9421, section 2.5. */
  readonly signature_base: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

export async function evidenceOf(prisma: Prisma, id: string): Promise<EvidenceView | undefined> {
  const row = await prisma.commitmentEvidence.findUnique({ where: { id } });
  return row ? { signature_base: row.base, signature: Buffer.from(row.signature).toString('base64') } : undefined;
}
