import { assertChainId, type ChainClient, createChainClient } from './base/chain/chain-client.js';
import type { Network } from './base/shared/hex.js';
import { checkMakers } from './checks.js';
import { ReceiptSigner } from './domains/receipts/receipt-signer.js';
import type { Check } from './domains/reports/checks/check.js';
import { type Book, openBook } from './edges/cli/open-book.js';
import { passed, runChecks } from './edges/cli/run-checks.js';
import { UsageError } from './edges/cli/usage-error.js';
import { type CheckName, parseVerifyOptions, type VerifyOptions } from './edges/cli/verify-options.js';
import { progressDisplay } from './edges/cli/verify-progress.js';
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

async function verify(book: Book, { json, only }: VerifyOptions): Promise<number> {
  const context = { pool: book.pool, upcast, listed: LISTED, graceMs: GRACE_MS };
  const checks = await checksOf(book, only);
  const all = await runChecks(checks, context, progressDisplay(process.stderr), (checked) => {
    if (!json) console.log(checkLines(checked).join('\n'));
  });
  console.log(json ? jsonReport(all) : verdictOf(all));
  return all.every(passed) ? 0 : 1;
}

/** The chain is asked only for checks of the chain. */
async function checksOf(book: Book, only: readonly CheckName[]): Promise<readonly Check[]> {
  const network: Network = `eip155:${book.config.chainId}`;
  const signer = new ReceiptSigner(book.config.publicUrl, [book.secrets.receiptKey]);
  const makers = checkMakers({ signer, network, chain: () => chainOf(book, network) });
  const checks: Check[] = [];
  for (const name of only) checks.push(await makers[name]());
  return checks;
}

async function chainOf({ chainRpcUrl }: Book, network: Network): Promise<ChainClient> {
  if (chainRpcUrl === undefined)
    throw new UsageError('The chain is not known: set CHAIN_RPC_URL, or leave out chain and gas');
  const client = createChainClient({ rpcUrl: chainRpcUrl, timeoutMs: RPC_TIMEOUT_MS });
  await assertChainId(client, network);
  return client;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
