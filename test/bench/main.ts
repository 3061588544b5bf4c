/**
 * `npm run bench [-- --json FILE]`: Tollbook beside the official Express middleware, which has a facilitator that answers
 * at once. One run, alternating rounds, ratios; ends with 1 if a goal is missed or a payment is not settled exactly once.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { migrate } from '../../src/base/platform/migrate.js';
import { type Address, parseAddress } from '../../src/base/shared/hex.js';
import { startApp } from '../support/app.js';
import type { AppendRates } from './append.js';
import { Books } from './books.js';
import { alternate, type Contender, runOnce } from './compare.js';
import { BenchProcess, type CpuProbe, cpuSeconds, processTree } from './processes.js';
import { makeReport, printReport } from './report.js';
import { testPayers } from './sign-payment.js';
import type { Series } from './statistics.js';

const ROUNDS = 3;
const OFFER_SECONDS = 3;
/** Until the compiler has settled; shorter, and the first rounds measure it instead. */
const WARM_SECONDS = 8;
const PAYERS = 8;
const OUR_PAYMENTS = 3_000;
const WARM_PAYMENTS = 3_000;
const THEIR_PAYMENTS = 1_000;
const ROUTE = '/demo/weather';

const options = readOptions();
const note = (line: string) => console.log(line);

note('Starting Tollbook, the official middleware with its facilitator, and plain Fastify…');
const app = await startApp();
const books = new Books(app);
const facilitator = await BenchProcess.serve('facilitator-stub.ts');
const official = await BenchProcess.serve('official-server.ts', facilitator.url);
const plain = await BenchProcess.serve('plain-server.ts');
const generator = BenchProcess.start('load.ts');
let stopping: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().finally(() => process.exit(1)));
}

try {
  const offers = await compareOffers();
  const { series, paid } = await comparePayments();
  await checkSettledOnce(paid);
  note('\nEvents appended');
  const report = makeReport({ offers, payments: series, append: await compareAppends() });
  printReport(report);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.goals.every(({ met }) => met) ? 0 : 1;
} finally {
  await stopAll();
}

/** Once, even if a signal interrupts a round, which then fails as well. */
function stopAll(): Promise<void> {
  stopping ??= (async () => {
    for (const process of [generator, plain.process, official.process, facilitator.process]) process.stop();
    await books.close();
    await app.stop();
  })();
  return stopping;
}

function readOptions(): { readonly json?: string } {
  try {
    return parseArgs({ options: { json: { type: 'string' } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\nUsage: npm run bench [-- --json FILE]`);
    process.exit(2);
  }
}

async function compareOffers() {
  note('\n402 offers');
  const contenders = (seconds: number) => {
    const ask = (name: string, url: string, expect: number, probe: CpuProbe): Contender => {
      return { name, job: { kind: 'gets', url: url + ROUTE, seconds }, expect, probe };
    };
    return [
      ask('Tollbook', app.gateway, 402, wholeOfTollbook()),
      ask('@x402/express', official.url, 402, serverOnly(official.process.pid)),
      ask('plain Fastify', plain.url, 200, serverOnly(plain.process.pid)),
    ];
  };
  for (const warmUp of contenders(WARM_SECONDS)) await runOnce(generator, warmUp);
  const [ours, theirs, ceiling] = await alternate(generator, contenders(OFFER_SECONDS), ROUNDS, note);
  return { ours: ours!, official: theirs!, plain: ceiling! };
}

/** Settlement sleeps meanwhile; it is work for later on both sides. Returns how many payments Tollbook has taken. */
async function comparePayments(): Promise<{ series: { ours: Series; official: Series }; paid: number }> {
  note('\nPaid requests');
  let paid = 0;
  const pay = (name: string, url: string, count: number, probe: CpuProbe): Contender => {
    return { name, job: { kind: 'payments', url: url + ROUTE, count, payers: PAYERS }, expect: 200, probe };
  };
  const ours = pay('Tollbook', app.gateway, OUR_PAYMENTS, wholeOfTollbook());
  const warmUp = async (count: number) => {
    await runOnce(generator, pay('Tollbook (warm-up)', app.gateway, count, wholeOfTollbook()));
    paid += count;
    await books.quiet();
  };
  // Strangers wait for their settlement; after these, all payers are known.
  await warmUp(PAYERS);
  await warmUp(WARM_PAYMENTS);
  const theirs = pay('@x402/express', official.url, THEIR_PAYMENTS, serverOnly(official.process.pid));
  await runOnce(generator, theirs);
  await books.drained(() => undefined);
  await books.pauseSettlement();
  const before = async () => {
    await warmUp(PAYERS);
    paid += OUR_PAYMENTS;
  };
  const contenders = [
    { ...ours, before },
    { ...theirs, before: () => books.quiet() },
  ];
  const [first, second] = await alternate(generator, contenders, ROUNDS, note);
  return { series: { ours: first!, official: second! }, paid };
}

async function checkSettledOnce(paid: number): Promise<void> {
  note('\nSettling what was paid…');
  await books.resumeSettlement();
  const start = performance.now();
  let next = paid;
  const states = await books.drained((open) => {
    if (open > next) return;
    note(`${open} open after ${((performance.now() - start) / 1000).toFixed(0)} s`);
    next = open - paid / 10;
  });
  const { token, payee } = await termsOfRoute();
  const payers = testPayers(PAYERS).map(({ address }) => address);
  const { authorizations, transfers } = await books.onChain(token, payers, payee);
  if (states.settled !== paid || authorizations !== paid || transfers !== paid) {
    const found = JSON.stringify({ states, authorizations, transfers });
    throw new Error(`${paid} payments were taken, and they are not settled exactly once: ${found}`);
  }
  note(`${paid} payments, each settled exactly once`);
}

async function termsOfRoute(): Promise<{ token: Address; payee: Address }> {
  const response = await fetch(app.gateway + ROUTE);
  const offer = JSON.parse(Buffer.from(response.headers.get('payment-required')!, 'base64').toString());
  return { token: parseAddress(offer.accepts[0].asset)!, payee: parseAddress(offer.accepts[0].payTo)! };
}

async function compareAppends(): Promise<AppendRates> {
  const urls = [await books.createDatabase('bench_store'), await books.createDatabase('bench_raw')];
  for (const url of urls) await migrate(url, () => undefined);
  return BenchProcess.start('append.ts', ...urls, String(ROUNDS)).receive<AppendRates>();
}

function serverOnly(pid: number): CpuProbe {
  return () => ({ server: cpuSeconds(pid) });
}

/** The server process, which in this mode is gateway, control, worker and projections in one, and its Postgres and Redis. */
function wholeOfTollbook(): CpuProbe {
  const names = { root: 'server', node: 'upstream', postgres: 'Postgres', 'redis-server': 'Redis' };
  return () => {
    const tree = processTree(app.pid);
    const parts = Object.entries(names).filter(([program]) => tree.has(program));
    return Object.fromEntries(
      parts.map(([program, name]) => [name, tree.get(program)!.reduce((sum, pid) => sum + cpuSeconds(pid), 0)]),
    );
  };
}
