import type { Pool } from 'pg';
import { openBatchPool } from '../../src/base/platform/pool.js';
import { checkMakers } from '../../src/checks.js';
import type { Check, CheckResult } from '../../src/domains/reports/checks/check.js';
import { CHECKS, type CheckName } from '../../src/edges/cli/verify-options.js';
import { upcast } from '../../src/event-catalogue.js';
import { log } from '../settlement/support.js';
import { type Stand, signer } from './stand.js';

/** The checks as `npm run verify` puts them together. */
export function checksOf(
  { chain: { client, token }, witnessPath }: Pick<Stand, 'chain' | 'witnessPath'>,
  names: readonly CheckName[] = CHECKS,
): Check[] {
  const makers = checkMakers({ signer, chains: new Map([[token.network, async () => client]]), witnessPath });
  return names.map((name) => makers[name]());
}

/** @param graceMs how long a disagreement with the chain may last; a book at rest needs no time */
export function run(check: Check, pool: Pool, graceMs = 0): Promise<CheckResult> {
  return check.run({ pool, upcast, listed: 20, graceMs }, () => undefined);
}

/** Runs one check, or all, on a database of its own. */
export async function runOn(databaseUrl: string, checks: readonly Check[]): Promise<Record<string, CheckResult>> {
  const pool = openBatchPool(databaseUrl, 'test-verify', 4, log);
  try {
    const results: [string, CheckResult][] = [];
    for (const check of checks) results.push([check.name, await run(check, pool)]);
    return Object.fromEntries(results);
  } finally {
    await pool.end();
  }
}
