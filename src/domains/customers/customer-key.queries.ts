import type { Prisma } from '../../base/platform/prisma.js';
import type { CustomerKey as KeyRow } from '../../generated/prisma/client.js';

export interface KeyView {
  readonly id: string;
  readonly issued_at: string;
  readonly expires_at: string | null;
  /** To the minute; `null` if it was never used. */
  readonly last_used_at: string | null;
}

/** The keys of a customer that are not revoked, oldest first. */
export function keysOf(prisma: Prisma, tenant: string, payer: string): Promise<KeyRow[]> {
  return prisma.customerKey.findMany({ where: { tenant, payer }, orderBy: [{ issuedAt: 'asc' }, { id: 'asc' }] });
}

export function keyView({ expiresAt, id, issuedAt, lastUsedAt }: KeyRow): KeyView {
  return {
    id,
    issued_at: issuedAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
    last_used_at: lastUsedAt?.toISOString() ?? null,
  };
}
