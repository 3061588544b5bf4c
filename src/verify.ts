import { join } from 'node:path';
import { assertChainIds, createFailoverClient } from './base/chain/chain-client.js';
import { EventStore } from './base/event-store/event-store.js';
import { acceptLoss } from './base/event-store/seals/accept-loss.js';
import { Witness, witnessPathOf } from './base/event-store/seals/witness.js';
import type { ChainSettings } from './base/platform/chain-settings.js';
import { createLogger } from './base/platform/logger.js';
import { openPool } from './base/platform/pool.js';
import { systemClock } from './base/shared/clock.js';
import { checkMakers } from './checks.js';
import { ReceiptSigner } from './domains/receipts/receipt-signer.js';
import type { Check } from './domains/reports/checks/check.js';
import { runCommand, UsageError } from './edges/cli/command.js';
import { type Book, openBook } from './edges/cli/open-book.js';
import { startProgress } from './edges/cli/progress.js';
import { passed, runChecks } from './edges/cli/run-checks.js';
import { type CheckName, parseVerifyOptions, type VerifyOptions } from './edges/cli/verify-options.js';
import { checkLines, jsonReport, verdictOf } from './edges/cli/verify-report.js';
import { upcast } from './event-catalogue.js';

const LISTED = 20;
const GRACE_MS = 10_000;
const RPC_TIMEOUT_MS = 30_000;

/** `npm run verify`: exit code 0 if every check passed, 1 if one did not, 2 if it cannot be done as asked. */
async function main(): Promise<number> {
  const options = parseVerifyOptions(process.argv.slice(2));
  const book = await openBook(process.env, (line) => console.error(line));
  try {
    return await verify(book, options);
  } finally {
    await book.close();
  }
}

async function verify(book: Book, { acceptLoss: accept, json, only }: VerifyOptions): Promise<number> {
  if (accept) await acceptKnownLoss(book);
  const context = { pool: book.pool, upcast, listed: LISTED, graceMs: GRACE_MS };
  const all = await runChecks(checksOf(book, only), context, startProgress, (checked) => {
    if (!json) console.log(checkLines(checked).join('\n'));
  });
  console.log(json ? jsonReport(all) : verdictOf(all));
  return all.every(passed) ? 0 : 1;
}

function checksOf(book: Book, only: readonly CheckName[]): readonly Check[] {
  const open = async ({ network, rpcUrls }: ChainSettings) => {
    await assertChainIds(network, rpcUrls);
    return createFailoverClient(network, rpcUrls, { timeoutMs: RPC_TIMEOUT_MS });
  };
  const chains = new Map(book.chains.map((one) => [one.network, () => open(one)]));
  const makers = checkMakers({ signer: signerOf(book), chains, witnessPath: witnessPathOf(book.config.dataDir) });
  return only.map((name) => makers[name]());
}

async function acceptKnownLoss(book: Book): Promise<void> {
  const log = createLogger('warn', 'verify');
  const pool = openPool(book.databaseUrl, 'tollbook-verify', 4, log);
  const witness = new Witness(witnessPathOf(book.config.dataDir));
  const store = new EventStore(pool, systemClock, upcast);
  try {
    const losses = await acceptLoss({ pool, store, signer: signerOf(book), witness, clock: systemClock, log });
    for (const { lostFrom, lostTo } of losses) console.error(`Accepted: positions ${lostFrom} to ${lostTo} are lost.`);
    if (losses.length === 0) console.error('No loss is open: nothing to accept.');
  } finally {
    await pool.end();
  }
}

/** @throws UsageError without the keys that seals and receipts are signed with */
function signerOf({ config, secrets }: Book): ReceiptSigner {
  if (secrets === undefined) {
    const file = join(config.dataDir, 'secrets.json');
    throw new UsageError(`The keys of this book are not here: there is no ${file}; name another TOLLBOOK_DATA_DIR`);
  }
  return new ReceiptSigner(config.publicUrl, [secrets.receiptKey]);
}

await runCommand(main);
