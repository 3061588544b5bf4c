import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { NewEvent } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import type { HoldRequest } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { commitmentAccepted, commitmentDelivered } from '../support/commitment-events.js';
import { freshDatabase } from '../support/engines.js';
import { runToEnd, silent } from '../support/projections.js';
import { runOn } from '../verify/checks.js';

const CUSTOMER = 'cus_0123456789abcdef01234567';
const HELD = 1_000n;
const CREDIT = `credit/shop/${CUSTOMER}`;
const ledger = ledgerProjection(upcast);

let databaseUrl: string;
let pool: Pool;
let tail: LogTail;
let store: EventStore;

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  pool = openPool(databaseUrl, 'test', 4, silent);
  tail = new LogTail(databaseUrl, silent);
  store = new EventStore(pool, systemClock, upcast);
});
afterAll(async () => {
  await tail?.stop();
  await pool?.end();
});

const hold = (delta: bigint) => ({ key: CREDIT, delta, signed: true }) as const;

/** A request that is let in, and how it ends. */
async function commit(end: { readonly charged: bigint } | 'CommitmentReleased' | undefined): Promise<void> {
  const stream = `commitment/com_${randomBytes(16).toString('hex')}`;
  const accepted = commitmentAccepted(CUSTOMER, HELD);
  await write(stream, 0, hold(HELD), accepted);
  if (end === 'CommitmentReleased') {
    const data = { reason: 'upstream_failed', latencyMs: 1, kept: false };
    await write(stream, 1, hold(-HELD), { type: end, schema: 1, data });
  } else if (end !== undefined) {
    await write(stream, 1, hold(end.charged - HELD), commitmentDelivered(accepted, end.charged));
  }
}

async function write(stream: string, expectedVersion: number, taken: HoldRequest, event: NewEvent): Promise<void> {
  const place = { stream, tenant: 'shop', expectedVersion, holds: [taken] };
  await store.append({ ...place, decide: () => ({ events: [event] }) });
}

async function balances(): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ kind: string; balance: string }>(
    'select kind, abs(debits_posted - credits_posted)::text as balance from ledger_accounts order by kind',
  );
  return Object.fromEntries(rows.map(({ balance, kind }) => [kind, balance]));
}

it('what is used on account is earned and unbilled, what is held or given back is neither, and the checks agree', async () => {
  for (const end of [{ charged: HELD }, { charged: 250n }, { charged: 0n }, 'CommitmentReleased', undefined] as const) {
    await commit(end);
  }
  await runToEnd(pool, tail, ledger);
  expect(await balances()).toEqual({ unbilled: '1250', revenue: '1250' });
  const checks = await runOn(databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
  expect([checks.holds!.differences, checks.ledger!.differences]).toEqual([[], []]);
  await pool.query(`update hold_totals set held = held + 1 where key = $1`, [CREDIT]);
  expect((await runOn(databaseUrl, [holdsCheck(ledger)])).holds!.differences).not.toEqual([]);
});
