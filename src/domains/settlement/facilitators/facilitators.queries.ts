import type { Pool } from 'pg';
import type { Prisma } from '../../../base/platform/prisma.js';
import type { FacilitatorList } from './facilitator-list.js';

/** Without what they are shown. `undefined` if the tenant never chose. */
export async function findFacilitators(
  prisma: Prisma,
  tenant: string,
): Promise<{ readonly list: FacilitatorList; readonly revision: number } | undefined> {
  const select = { list: true, revision: true };
  const row = await prisma.tenantFacilitators.findUnique({ where: { tenant }, select });
  return row ? { list: row.list as unknown as FacilitatorList, revision: row.revision } : undefined;
}

/** Whether outside facilitators settle for this tenant. */
export async function isSettledByOthers(pool: Pool, tenant: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from tenant_facilitators where tenant = $1 and jsonb_array_length(list -> 'facilitators') > 0`,
    [tenant],
  );
  return rowCount === 1;
}
