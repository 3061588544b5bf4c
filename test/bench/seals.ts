/**
 * Sealing and verifying against a bare loop that reads and hashes the same events, alternating:
 * `seals.ts <database url> <events> <rounds>`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { Sealer } from '../../src/base/event-store/seals/sealer.js';
import { verifySeals } from '../../src/base/event-store/seals/verify-seals.js';
import { Witness, witnessPathOf } from '../../src/base/event-store/seals/witness.js';
import { createLogger } from '../../src/base/platform/logger.js';
import { openBatchPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { eventsOf, fillLog } from './fill-log.js';
import { perSecond } from './store-appends.js';

export interface SealRates {
  readonly events: number;
  /** Events per second, one number per round. */
  readonly bare: readonly number[];
  readonly sealed: readonly number[];
  readonly verified: readonly number[];
}

const PAGE = 5_000;

const [url, events, rounds] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const folder = mkdtempSync(join(tmpdir(), 'tollbook-bench-'));
const signer = new ReceiptSigner('http://localhost:4020', [`0x${'01'.repeat(32)}`]);

/** Reads every event once and hashes its columns as text: no canonical form, no digest of the data, no tree. */
async function readAndHash(pool: Pool): Promise<void> {
  let last = '0';
  for (;;) {
    const { rows } = await pool.query<string[]>({
      name: 'bare',
      rowMode: 'array',
      text: `select position::text, stream, version::text, type, schema::text, tenant, data::text, occurred_at::text
        from events where position > $1 order by events.position limit $2`,
      values: [last, PAGE],
    });
    for (const row of rows) createHash('sha256').update(row.join('\n')).digest();
    if (rows.length < PAGE) return;
    last = rows.at(-1)![0]!;
  }
}

async function seal(pool: Pool, round: number): Promise<void> {
  mkdirSync(join(folder, String(round)));
  const witness = new Witness(witnessPathOf(join(folder, String(round))));
  const log = createLogger('warn', 'worker');
  const store = new EventStore(pool, systemClock);
  const sealer = new Sealer({ pool, store, signer, witness, clock: systemClock, log });
  while (await sealer.step());
}

async function verify(pool: Pool, round: number): Promise<void> {
  const report = await verifySeals(pool, signer.jwks(), witnessPathOf(join(folder, String(round))));
  if (report.differenceCount > 0 || report.unsealed > 0 || report.events !== events) {
    throw new Error(`the seals do not hold: ${inspect(report)}`);
  }
}

await fillLog(url, eventsOf(events), events);
const pool = openBatchPool(url, 'bench', 8, console);
await pool.query('vacuum analyze events');
const rates = { bare: [] as number[], sealed: [] as number[], verified: [] as number[] };
for (let round = 0; round <= rounds; round++) {
  for (const table of ['seal_leaves', 'seals']) {
    await pool.query(`alter table ${table} disable trigger user`);
    await pool.query(`delete from ${table}`);
    await pool.query(`alter table ${table} enable trigger user`);
  }
  const measured = {
    bare: await perSecond(events, () => readAndHash(pool)),
    sealed: await perSecond(events, () => seal(pool, round)),
    verified: await perSecond(events, () => verify(pool, round)),
  };
  // Round 0 warms up both sides: plans, caches, compiled code.
  if (round > 0) for (const side of ['bare', 'sealed', 'verified'] as const) rates[side].push(measured[side]);
}
rmSync(folder, { recursive: true });
process.send?.({ events, ...rates } satisfies SealRates, () => process.exit(0));
