import type { Projection } from '../../../base/event-store/projection-runner.js';
import type { Check, CheckContext, Progress } from './check.js';
import { checkpointOf } from './checkpoint.js';
import { Findings } from './findings.js';
import {
  type AccountRow,
  accountSums,
  activitySums,
  type BookRow,
  bookSums,
  owedByEvents,
  type ReckonedRow,
  resolutions,
  strayTransfers,
  type TransferRow,
} from './ledger.sql.js';
import { inSnapshot, type Snapshot } from './snapshot.js';

const TABLES = ['projection_checkpoints', 'ledger_books', 'ledger_accounts', 'ledger_transfers', 'ledger_activity'];

/**
 * The ledger agrees with itself, and its main balances with a reckoning from the events that shares no code with the
 * postings: wallets, receivables, revenue, refunds and fees, each from where the payments ended. Transfer by transfer the
 * ledger is compared with the events by the check `projections`, which posts everything anew.
 */
export function ledgerCheck(ledger: Pick<Projection, 'name' | 'version'>): Check {
  return {
    name: 'ledger',
    run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
      inSnapshot(pool, TABLES, async (snapshot) => {
        const findings = new Findings(listed);
        const checkpoint = await checkpointOf(snapshot, ledger, findings);
        if (checkpoint === undefined) return findings.result({});
        for (const [done, step] of STEPS.entries()) {
          onProgress(done, STEPS.length);
          await step(snapshot, checkpoint, findings);
        }
        onProgress(STEPS.length, STEPS.length);
        return findings.result(await countsOf(snapshot, checkpoint));
      }),
  };
}

type Step = (snapshot: Snapshot, checkpoint: bigint, findings: Findings) => Promise<void>;

const STEPS: readonly Step[] = [
  checkBooks,
  checkAccounts,
  checkActivity,
  checkResolutions,
  checkOrigins,
  checkReckoning,
];

async function checkBooks(snapshot: Snapshot, _checkpoint: bigint, findings: Findings): Promise<void> {
  for (const { asset, pending, posted, tenant } of await snapshot.query<BookRow>(bookSums)) {
    findings.differ(
      'book out of balance',
      `${tenant} ${asset}`,
      'posted 0, pending 0',
      `posted ${posted}, pending ${pending}`,
    );
  }
}

async function checkAccounts(snapshot: Snapshot, _checkpoint: bigint, findings: Findings): Promise<void> {
  for await (const rows of snapshot.pages<AccountRow>(accountSums)) {
    for (const { account, found, moved } of rows)
      findings.differ('account total', `ledger_accounts ${account}`, moved, found);
  }
}

async function checkActivity(snapshot: Snapshot, _checkpoint: bigint, findings: Findings): Promise<void> {
  for await (const rows of snapshot.pages<AccountRow>(activitySums)) {
    for (const { account, found, moved } of rows)
      findings.differ('activity', `ledger_activity ${account}`, moved, found);
  }
}

async function checkResolutions(snapshot: Snapshot, _checkpoint: bigint, findings: Findings): Promise<void> {
  for await (const rows of snapshot.pages<TransferRow>(resolutions)) {
    for (const { found, id } of rows)
      findings.differ('resolution', `ledger_transfers ${id}`, 'one pending transfer alike', found);
  }
}

async function checkOrigins(snapshot: Snapshot, checkpoint: bigint, findings: Findings): Promise<void> {
  for await (const rows of snapshot.pages<TransferRow>(strayTransfers, [checkpoint])) {
    for (const { found, id } of rows)
      findings.differ('origin', `ledger_transfers ${id}`, 'an event of its tenant', found);
  }
}

async function checkReckoning(snapshot: Snapshot, checkpoint: bigint, findings: Findings): Promise<void> {
  for await (const rows of snapshot.pages<ReckonedRow>(owedByEvents, [checkpoint])) {
    for (const { asset, expected, found, kind, party, tenant } of rows) {
      findings.differ('balance', [tenant, asset, kind, party].join(' ').trim(), expected, found);
    }
  }
}

async function countsOf(snapshot: Snapshot, checkpoint: bigint): Promise<Record<string, number>> {
  const [row] = await snapshot.query<{ transfers: string; accounts: string; books: string }>(
    `select (select count(*) from ledger_transfers) as transfers, (select count(*) from ledger_accounts) as accounts,
       (select count(*) from ledger_books) as books`,
  );
  const { accounts, books, transfers } = row!;
  return {
    transfers: Number(transfers),
    accounts: Number(accounts),
    books: Number(books),
    'events not posted yet': Number(snapshot.head - checkpoint),
  };
}
