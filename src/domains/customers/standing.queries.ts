import { EVERYBODY } from '../../base/event-store/standings.js';
import type { Prisma } from '../../base/platform/prisma.js';
import type { PayerStanding as StandingRow } from '../../generated/prisma/client.js';
import type { ListMode } from './standing.js';

export interface StandingView {
  readonly tenant: string;
  readonly payer: string;
  /** `none`: the payer is on no list, so the tenant's mode decides. */
  readonly standing: 'allowed' | 'denied' | 'none';
  readonly reason: string | null;
  readonly since: string | null;
}

export function findStanding(prisma: Prisma, tenant: string, payer: string): Promise<StandingRow | null> {
  return prisma.payerStanding.findUnique({ where: { tenant_payer: { tenant, payer } } });
}

/** Of a payer that is on no list. */
export function noStanding(tenant: string, payer: string): StandingView {
  return { tenant, payer, standing: 'none', reason: null, since: null };
}

/** What a tenant's row for everybody says. */
export function listModeOf(row: StandingRow | null): ListMode {
  return row?.standing === 'denied' ? 'allow_listed' : 'open';
}

/** The payers on a tenant's lists, by address; one row more than `limit` if there is another page. */
export function listStandings(
  prisma: Prisma,
  filter: { readonly tenant: string; readonly standing?: 'allowed' | 'denied' },
  after: string | undefined,
  limit: number,
): Promise<StandingRow[]> {
  return prisma.payerStanding.findMany({
    where: { ...filter, payer: { not: EVERYBODY, ...(after === undefined ? {} : { gt: after }) } },
    orderBy: { payer: 'asc' },
    take: limit + 1,
  });
}

export function standingView({ payer, reason, since, standing, tenant }: StandingRow): StandingView {
  return { tenant, payer, standing: standing as 'allowed' | 'denied', reason, since: since.toISOString() };
}
