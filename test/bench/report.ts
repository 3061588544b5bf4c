import { cpus } from 'node:os';
import Table from 'cli-table3';
import type { AdmissionTimes } from './admission.js';
import type { AppendRates } from './append.js';
import type { GrowthRates } from './growth.js';
import type { IngestionRates } from './ingestion.js';
import type { InvoiceTimes } from './invoices.js';
import { invoicesSection } from './invoices-section.js';
import type { Outcome } from './load.js';
import type { QuoteTimes } from './quotes.js';
import type { RebuildRates } from './rebuild.js';
import type { SealRates } from './seals.js';
import { BLOCK_GAS, BLOCK_SECONDS, type SettlementRates } from './settlement.js';
import { atLeast, atMost, type Goal, median, type Series, type Summary, summarize } from './statistics.js';
import type { FloodRates } from './traffic.js';

/** What can be measured, in the order it is. */
export const PARTS = [
  'quotes',
  'offers',
  'payments',
  'commitments',
  'flood',
  'settlement',
  'admission',
  'append',
  'ingestion',
  'invoices',
  'seals',
  'rebuild',
  'growth',
] as const;
export type Part = (typeof PARTS)[number];

/** Of the parts that were run. */
export interface Results {
  readonly quotes?: QuoteTimes;
  readonly offers?: { readonly ours: Series; readonly official: Series; readonly plain: Series };
  readonly payments?: { readonly ours: Series; readonly official: Series };
  readonly commitments?: { readonly ours: Series; readonly official: Series };
  readonly flood?: FloodRates;
  readonly settlement?: SettlementRates;
  readonly admission?: AdmissionTimes;
  readonly append?: AppendRates;
  readonly ingestion?: IngestionRates;
  /** Of logs of several lengths, the longest last. */
  readonly invoices?: readonly InvoiceTimes[];
  readonly seals?: readonly SealRates[];
  readonly rebuild?: readonly RebuildRates[];
  readonly growth?: GrowthRates;
}

/** One part as it is printed: a table of requests, or lines. */
interface Section {
  readonly summaries?: readonly Summary[];
  readonly lines?: readonly string[];
  readonly goals: readonly Goal[];
}

export interface Report {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly sections: Readonly<Partial<Record<Part, Section>>>;
  readonly goals: readonly Goal[];
}

export function makeReport(results: Results): Report {
  const { commitments } = results;
  const {
    admission,
    append,
    flood,
    growth,
    ingestion,
    invoices,
    offers,
    payments,
    quotes,
    rebuild,
    seals,
    settlement,
  } = results;
  const sections: Partial<Record<Part, Section>> = {
    ...(quotes && { quotes: quotesSection(quotes) }),
    ...(offers && { offers: offersSection(offers) }),
    ...(payments && { payments: paymentsSection(payments) }),
    ...(commitments && { commitments: commitmentsSection(commitments) }),
    ...(flood && { flood: floodSection(flood) }),
    ...(settlement && { settlement: settlementSection(settlement) }),
    ...(admission && { admission: admissionSection(admission) }),
    ...(append && { append: appendSection(append) }),
    ...(ingestion && { ingestion: ingestionSection(ingestion) }),
    ...(invoices && { invoices: invoicesSection(invoices) }),
    ...(seals && { seals: sealsSection(seals) }),
    ...(rebuild && { rebuild: rebuildSection(rebuild) }),
    ...(growth && { growth: growthSection(growth) }),
  };
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version },
    sections,
    goals: Object.values(sections).flatMap((section) => section.goals),
  };
}

function quotesSection({ median: middle, p99, rules }: QuoteTimes): Section {
  return {
    lines: [`a quote with ${rules} rules: median ${middle.toFixed(1)} µs, p99 ${p99.toFixed(1)} µs`],
    goals: [atMost(`median of a quote with ${rules} rules, µs`, middle, 30)],
  };
}

function offersSection({ ours, official, plain }: NonNullable<Results['offers']>): Section {
  const summaries = [ours, official, plain].map(summarize) as [Summary, Summary, Summary];
  const [us, them, ceiling] = summaries;
  const cpu = them.cpu.server! / us.cpu.server!;
  const share = (us.rate / ceiling.rate) * 100;
  return {
    summaries,
    lines: [
      `CPU of the server per offer, official to ours: ${cpu.toFixed(1)}; ${share.toFixed(0)} % of plain Fastify's rate`,
    ],
    goals: [atLeast('402 offers per second, times the official middleware', us.rate / them.rate, 4)],
  };
}

function paymentsSection({ ours, official }: NonNullable<Results['payments']>): Section {
  const summaries = [ours, official].map(summarize) as [Summary, Summary];
  const [us, them] = summaries;
  const cpu = them.cpu.server! / us.cpu.server!;
  return {
    summaries,
    lines: [`CPU of the server per paid request, official to ours: ${cpu.toFixed(1)}`],
    goals: [
      atLeast(
        'paid requests per second with quotas, limits and a price by volume, times the official middleware',
        us.rate / them.rate,
        6,
      ),
    ],
  };
}

function commitmentsSection({ ours, official }: NonNullable<Results['commitments']>): Section {
  const summaries = [ours, official].map(summarize) as [Summary, Summary];
  const [us, them] = summaries;
  const cpu = them.cpu.server! / us.cpu.server!;
  return {
    summaries,
    lines: [`CPU of the server, a paid request there to a committed one here: ${cpu.toFixed(1)}`],
    goals: [
      atLeast('committed requests per second, times paid requests of the official middleware', us.rate / them.rate, 10),
    ],
  };
}

function floodSection({ alone, beside, floods, rate }: FloodRates): Section {
  const over = (rounds: readonly Outcome[], pick: (round: Outcome) => number) => median(rounds.map(pick));
  const goodput = ({ requests, seconds }: Outcome) => requests / seconds;
  const [quiet, flooded] = [over(alone, goodput), over(beside, goodput)];
  const share = ({ requests, statuses }: Outcome) => (100 * (statuses[429] ?? 0)) / requests;
  return {
    lines: [
      `${count(rate)} honest payments a second sent: ${count(quiet)}/s answered alone, ${count(flooded)}/s beside ` +
        `${count(over(floods, goodput))} invalid signatures a second, ${over(floods, share).toFixed(0)} % of them refused by 429`,
      `p99 of the honest: ${over(alone, ({ p99 }) => p99).toFixed(1)} ms alone, ${over(beside, ({ p99 }) => p99).toFixed(1)} ms beside`,
    ],
    goals: [
      atLeast('honest goodput beside invalid signatures, share of it alone', flooded / quiet, 0.95),
      atLeast('invalid signatures a second beside it', over(floods, goodput), 2_000),
    ],
  };
}

function settlementSection({ burst, gas, steady }: SettlementRates): Section {
  const times = ({ p50, p99 }: SettlementRates['burst']) => `p50 ${p50.toFixed(1)} s, p99 ${p99.toFixed(1)} s`;
  return {
    lines: [
      `gas of a payment: ${count(gas.single)} alone; in a batch of ${gas.batch}, ${count(gas.batched)} by as many payers, ${count(gas.batchedOfFew)} by ${gas.few}`,
      `blocks of ${BLOCK_SECONDS} s, raised to ${count(Number(BLOCK_GAS))} gas; from delivery to the settlement in the book:`,
      `${count(burst.settled)} payments as fast as they came: ${burst.seconds.toFixed(1)} s in all, ${times(burst)}`,
      `${count(steady.settled)} payments at ${steady.rate} a second: ${times(steady)}`,
    ],
    goals: [
      atMost(
        `gas per payment in batches of ${gas.batch} payers, share of a single transfer`,
        gas.batched / gas.single,
        0.62,
      ),
      atMost(`gas per payment in batches of ${gas.batch}, ${gas.few} payers`, gas.batchedOfFew / gas.single, 0.62),
      atLeast('payments settled per second', burst.settled / burst.seconds, 200),
      atMost(`delivery to settlement at ${steady.rate} a second, p99 in s`, steady.p99, 2 * BLOCK_SECONDS + 1),
    ],
  };
}

function admissionSection({ admitted, bare, rate }: AdmissionTimes): Section {
  const [ours, row] = [median(admitted), median(bare)];
  return {
    lines: [`${count(rate)} a second: p99 ${ours.toFixed(1)} ms of an admission, ${row.toFixed(1)} ms of a bare row`],
    goals: [atMost('p99 of admissions, times that of bare commits of one row', ours / row, 3)],
  };
}

function appendSection({ raw, store }: AppendRates): Section {
  const [ours, bare] = [median(store), median(raw)];
  return {
    lines: [`events appended: ${count(ours)}/s through the store, ${count(bare)}/s raw`],
    goals: [atLeast('events appended per second, share of raw inserts', ours / bare, 0.7)],
  };
}

function ingestionSection({ ours, raw }: IngestionRates): Section {
  const [taken, bare] = [median(ours), median(raw)];
  return {
    lines: [`usage events in batches of 1,000: ${count(taken)}/s through HTTP, ${count(bare)}/s raw`],
    goals: [atLeast('usage events taken per second, share of raw inserts of the same rows', taken / bare, 0.5)],
  };
}

function sealsSection(sizes: readonly SealRates[]): Section {
  const rates = sizes.map(({ bare, events, sealed, verified }) => {
    return { events, seal: median(sealed), verify: median(verified), loop: median(bare) };
  });
  const { loop, seal, verify } = rates.at(-1)!;
  return {
    lines: rates.map(
      (one) =>
        `${count(one.events)} events: sealed ${count(one.seal)}/s, verified ${count(one.verify)}/s, ` +
        `read and hashed bare ${count(one.loop)}/s`,
    ),
    goals: [
      atLeast('events sealed per second, share of a bare loop', seal / loop, 0.5),
      atLeast('events verified per second, share of a bare loop', verify / loop, 0.5),
    ],
  };
}

function rebuildSection(sizes: readonly RebuildRates[]): Section {
  const { peakMegabytes, raw, seconds } = sizes.at(-1)!;
  return {
    lines: sizes.map(rebuildLine),
    goals: [
      atLeast('projections rebuilt, share of a raw insert of their rows', rawSeconds(raw) / seconds, 0.3),
      atMost('peak memory while rebuilding, MB', peakMegabytes, 400),
    ],
  };
}

function rebuildLine({ events, peakMegabytes, raw, seconds }: RebuildRates): string {
  const rows = raw.map((one) => `${one.name} ${count(one.rows)}`).join(', ');
  return (
    `${count(events)} events: all projections rebuilt in ${seconds.toFixed(1)} s (${count(events / seconds)} events/s, ` +
    `${peakMegabytes.toFixed(0)} MB); the same rows (${rows}) inserted raw in ${rawSeconds(raw).toFixed(1)} s`
  );
}

function rawSeconds(raw: RebuildRates['raw']): number {
  return raw.reduce((total, one) => total + one.seconds, 0);
}

function growthSection({ large, small }: GrowthRates): Section {
  const [few, many] = [median(small), median(large)];
  return {
    lines: [`events appended: ${count(few)}/s behind 50,000 events, ${count(many)}/s behind 5,000,000`],
    goals: [atLeast('events appended per second behind a long log, share of a short one', many / few, 0.9)],
  };
}

export function printReport({ goals, machine, sections }: Report): void {
  console.log(`\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; medians over the rounds`);
  for (const [title, { lines, summaries }] of Object.entries(sections)) {
    console.log('');
    if (summaries) console.log(tableOf(title, summaries));
    for (const line of lines ?? []) console.log(line);
  }
  console.log('');
  for (const { what, value, wanted, met } of goals) {
    const limit = 'atLeast' in wanted ? `at least ${wanted.atLeast}` : `at most ${wanted.atMost}`;
    console.log(`${met ? '✓' : '✗'} ${what}: ${value.toFixed(2)} (goal ${limit})`);
  }
}

function tableOf(title: string, summaries: readonly Summary[]): string {
  const table = new Table({
    head: [title, 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs per request'],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, rate, p50, p99, cpu } of summaries) {
    const parts = Object.entries(cpu).map(([part, microseconds]) => `${part} ${microseconds.toFixed(0)}`);
    table.push([name, count(rate), p50.toFixed(1), p99.toFixed(1), parts.join(', ')]);
  }
  return table.toString();
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
