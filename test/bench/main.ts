/**
 * `npm run bench [-- --only offers,payments] [--json FILE]`: Tollbook beside the official Express middleware, which has a
 * facilitator that answers at once, and its book beside what the database does bare. One run, alternating rounds, ratios;
 * ends with 1 if a goal is missed or a payment is not settled exactly once.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { migrate } from '../../src/base/platform/migrate.js';
import { type App, startApp } from '../support/app.js';
import type { AdmissionTimes } from './admission.js';
import type { AppendRates } from './append.js';
import { Books } from './books.js';
import type { GrowthRates } from './growth.js';
import { measureIngestion } from './ingestion.js';
import type { InvoiceTimes } from './invoices.js';
import { BenchProcess } from './processes.js';
import type { QuoteTimes } from './quotes.js';
import type { RebuildRates } from './rebuild.js';
import { makeReport, PARTS, type Part, printReport, type Results } from './report.js';
import type { SealRates } from './seals.js';
import { measureSettlement } from './settlement.js';
import { Traffic } from './traffic.js';

const USAGE = 'Usage: npm run bench [-- --only PART,PART --json FILE]';
const ROUNDS = 3;
/** Events in the logs that the book's parts are measured on. */
const INVOICED = [100_000, 1_000_000] as const;
const SEALED = [20_000, 200_000] as const;
const REBUILT = [100_000, 1_000_000] as const;
const GROWN = [50_000, 5_000_000] as const;
/** A round takes about a second, and one checkpoint of the database in it halves its rate. */
const GROWTH_ROUNDS = 15;

const measures: Record<Part, (app: App) => Promise<unknown>> = {
  quotes: () => quotes(),
  offers: (app) => withTraffic(app, (traffic) => traffic.compareOffers()),
  payments: (app) => withTraffic(app, (traffic) => traffic.comparePayments()),
  commitments: (app) => withTraffic(app, (traffic) => traffic.compareCommitments()),
  flood: (app) => withTraffic(app, (traffic) => traffic.compareFlood()),
  settlement: (app) => measureSettlement(app, note),
  admission: (app) => inDatabases<AdmissionTimes>(app, 'Admissions', 'admission.ts', 2, ROUNDS),
  append: (app) => inDatabases<AppendRates>(app, 'Events appended', 'append.ts', 2, ROUNDS),
  ingestion: (app) => measureIngestion(app, note),
  invoices: (app) =>
    atSizes(INVOICED, (events) => inDatabases<InvoiceTimes>(app, 'Closing invoices', 'invoices.ts', 1, events)),
  seals: (app) =>
    atSizes(SEALED, (events) => inDatabases<SealRates>(app, 'Sealing and verifying', 'seals.ts', 1, events, ROUNDS)),
  rebuild: (app) =>
    atSizes(REBUILT, (events) => inDatabases<RebuildRates>(app, 'Rebuilding the projections', 'rebuild.ts', 1, events)),
  growth: (app) => inDatabases<GrowthRates>(app, 'Appending to a long log', 'growth.ts', 2, ...GROWN, GROWTH_ROUNDS),
};

const note = (line: string) => console.log(line);
const { json, parts } = readOptions();

note('Starting Tollbook…');
const app = await startApp({ postgres: 'own' });
let stopping: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop().finally(() => process.exit(1)));
}

try {
  const results: Partial<Record<Part, unknown>> = {};
  for (const part of parts) results[part] = await measures[part](app);
  const report = makeReport(results as Results);
  printReport(report);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.goals.every(({ met }) => met) ? 0 : 1;
} finally {
  await stop();
}

/** Once, even if a signal interrupts a round, which then fails as well. */
function stop(): Promise<void> {
  stopping ??= app.stop();
  return stopping;
}

async function withTraffic<T>(app: App, work: (traffic: Traffic) => Promise<T>): Promise<T> {
  const traffic = await Traffic.start(app, note);
  try {
    return await work(traffic);
  } finally {
    await traffic.stop();
  }
}

function readOptions(): { readonly json?: string; readonly parts: readonly Part[] } {
  try {
    const text = { type: 'string' } as const;
    const { help, json, only } = parseArgs({ options: { help: { type: 'boolean' }, json: text, only: text } }).values;
    if (help) {
      console.log(`${USAGE}\nParts: ${PARTS.join(', ')}`);
      process.exit(0);
    }
    const wanted = only?.split(',') ?? PARTS;
    const unknown = wanted.find((part) => !PARTS.includes(part as Part));
    if (unknown !== undefined) throw new Error(`There is no part "${unknown}"; there are ${PARTS.join(', ')}.`);
    return { json, parts: PARTS.filter((part) => wanted.includes(part)) };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

/** One after the other, the largest last. */
async function atSizes<T>(sizes: readonly number[], measure: (events: number) => Promise<T>): Promise<T[]> {
  const measured: T[] = [];
  for (const events of sizes) measured.push(await measure(events));
  return measured;
}

function quotes(): Promise<QuoteTimes> {
  note('\nQuotes');
  return BenchProcess.start('quotes.ts').receive<QuoteTimes>();
}

/** Runs one part in a process of its own, on fresh databases of the same Postgres. */
async function inDatabases<T>(app: App, title: string, file: string, databases: number, ...rest: number[]): Promise<T> {
  note(`\n${title}`);
  const books = new Books(app);
  const names = Array.from({ length: databases }, (_, n) => `bench_${file.replace('.ts', '')}_${n}`);
  try {
    const urls: string[] = [];
    for (const name of names) urls.push(await books.createDatabase(name));
    for (const url of urls) await migrate(url, () => undefined);
    return await BenchProcess.start(file, ...urls, ...rest.map(String)).receive<T>();
  } finally {
    await books.dropDatabases(names);
    await books.close();
  }
}
