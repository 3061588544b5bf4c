import { cpus } from 'node:os';
import Table from 'cli-table3';
import type { AppendRates } from './append.js';
import { type Goal, goal, median, type Series, type Summary, summarize } from './statistics.js';

export interface Results {
  readonly offers: { readonly ours: Series; readonly official: Series; readonly plain: Series };
  readonly payments: { readonly ours: Series; readonly official: Series };
  readonly append: AppendRates;
}

export interface Report {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly offers: readonly Summary[];
  readonly payments: readonly Summary[];
  /** Events per second, medians. */
  readonly append: { readonly store: number; readonly raw: number };
  /** How many times more requests per second, and how many times less CPU of the server per request. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
}

export function makeReport({ offers, payments, append }: Results): Report {
  const [ourOffers, theirOffers, plain] = [offers.ours, offers.official, offers.plain].map(summarize) as Three;
  const [ourPayments, theirPayments] = [payments.ours, payments.official].map(summarize) as Two;
  const rates = { store: median(append.store), raw: median(append.raw) };
  const ratios = {
    offersRate: ourOffers.rate / theirOffers.rate,
    offersCpu: theirOffers.cpu.server! / ourOffers.cpu.server!,
    offersShareOfPlain: ourOffers.rate / plain.rate,
    paymentsRate: ourPayments.rate / theirPayments.rate,
    paymentsCpu: theirPayments.cpu.server! / ourPayments.cpu.server!,
    appendShareOfRaw: rates.store / rates.raw,
  };
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version },
    offers: [ourOffers, theirOffers, plain],
    payments: [ourPayments, theirPayments],
    append: rates,
    ratios,
    goals: [
      goal('402 offers per second, times the official middleware', ratios.offersRate, 4),
      goal('paid requests per second, times the official middleware', ratios.paymentsRate, 8),
      goal('events appended per second, share of raw inserts', ratios.appendShareOfRaw, 0.7),
    ],
  };
}

type Two = [Summary, Summary];
type Three = [Summary, Summary, Summary];

export function printReport({ machine, offers, payments, append, ratios, goals }: Report): void {
  console.log(`\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; medians over the rounds`);
  printSummaries('402 offers', offers);
  printSummaries('paid requests', payments);
  console.log(`\nevents appended: ${count(append.store)}/s through the store, ${count(append.raw)}/s raw`);
  console.log(
    `\nCPU of the server per request, official to ours: ${ratios.offersCpu!.toFixed(1)} for offers, ` +
      `${ratios.paymentsCpu!.toFixed(1)} for paid requests; offers reach ` +
      `${(ratios.offersShareOfPlain! * 100).toFixed(0)} % of a plain Fastify reply`,
  );
  for (const { what, value, atLeast, met } of goals) {
    console.log(`${met ? '✓' : '✗'} ${what}: ${value.toFixed(2)} (goal ${atLeast})`);
  }
}

function printSummaries(title: string, summaries: readonly Summary[]): void {
  const table = new Table({
    head: [title, 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs per request'],
    colAligns: ['left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, rate, p50, p99, cpu } of summaries) {
    const parts = Object.entries(cpu).map(([part, microseconds]) => `${part} ${microseconds.toFixed(0)}`);
    table.push([name, count(rate), p50.toFixed(1), p99.toFixed(1), parts.join(', ')]);
  }
  console.log(`\n${table.toString()}`);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
