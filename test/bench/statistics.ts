import type { Measured } from './processes.js';

/** One server's rounds in one comparison. */
export interface Series {
  readonly name: string;
  readonly rounds: readonly Measured[];
}

/** The medians over the rounds of a series. */
export interface Summary {
  readonly name: string;
  /** Requests per second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU microseconds per request: the server itself, and the other parts by name. */
  readonly cpu: Readonly<Record<string, number>>;
}

export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number };
  readonly met: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function summarize({ name, rounds }: Series): Summary {
  const over = (pick: (round: Measured) => number) => median(rounds.map(pick));
  const parts = Object.keys(rounds[0]!.cpu);
  return {
    name,
    rate: over(({ requests, seconds }) => requests / seconds),
    p50: over(({ p50 }) => p50),
    p99: over(({ p99 }) => p99),
    cpu: Object.fromEntries(parts.map((part) => [part, over(({ cpu }) => cpu[part]!)])),
  };
}

export function atLeast(what: string, value: number, least: number): Goal {
  return { what, value, wanted: { atLeast: least }, met: value >= least };
}

export function atMost(what: string, value: number, most: number): Goal {
  return { what, value, wanted: { atMost: most }, met: value <= most };
}
