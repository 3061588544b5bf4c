import type { Prisma } from '../../base/platform/prisma.js';
import type { CustomerKey as KeyRow } from '../../generated/prisma/client.js';
import type { KeyScope } from './customer-key.js';

export interface KeyView {
  readonly id: string;
  readonly issued_at: string;
  readonly expires_at: string | null;
  /** To the minute; `null` if it was never used. */
  readonly last_used_at: string | null;
  /** Routes that it is good for; `null`: all of them. */
  readonly routes: readonly string[] | null;
}

/** The keys of a customer that are not revoked, oldest first. */
export function keysOf(prisma: Prisma, tenant: string, payer: string): Promise<KeyRow[]> {
  return prisma.customerKey.findMany({ where: { tenant, payer }, orderBy: [{ issuedAt: 'asc' }, { id: 'asc' }] });
}

export function keyView({ expiresAt, id, issuedAt, lastUsedAt, scope }: KeyRow): KeyView {
  return {
    id,
    issued_at: issuedAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
    last_used_at: lastUsedAt?.toISOString() ?? null,
    routes: (scope as KeyScope | null)?.routes ?? null,
  };
}
