/** How a facilitator has done of late on one network. Opinions, not facts: losing them costs a few slow attempts. */
export interface Health {
  /** Weighted share of requests after which the chain had the transfer, 0 to 1. */
  readonly success: number;
  /** Weighted time until it answered, in milliseconds; 0 before the first answer. */
  readonly latencyMs: number;
  /** In a row. */
  readonly failures: number;
  /** Not asked before then, epoch milliseconds; 0 if it may be asked by all. */
  readonly openUntil: number;
}

/**
 * What one request came to.
 * - `settled`: the chain has the transfer, whatever the answer was.
 * - `refused`: it said no, and the authorization is unused.
 * - `failed`: no answer, or none that means anything, and the authorization is unused.
 * - `lied`: it said that it had settled, and the chain has nothing.
 */
export const facilitatorResults = ['settled', 'refused', 'failed', 'lied'] as const;
export type FacilitatorResult = (typeof facilitatorResults)[number];

export const unknownHealth: Health = { success: 1, latencyMs: 0, failures: 0, openUntil: 0 };

/** Share of the newest observation. A refusal may be about one payer, so it says less. */
const WEIGHTS: Readonly<Record<FacilitatorResult, number>> = { settled: 0.2, refused: 0.1, failed: 0.2, lied: 0.7 };
const FAILURES_MAX = 3;
/** What a lie counts, in failures. */
const LIE = 3;
const COOL_FIRST_MS = 5_000;
const COOL_MAX_MS = 300_000;
/** An answer that takes this long halves the score. */
const SLOW_MS = 10_000;

/** Pure. @param now epoch milliseconds @param latencyMs until it answered, or until nobody waited any more */
export function observed(health: Health, result: FacilitatorResult, latencyMs: number, now: number): Health {
  const weight = WEIGHTS[result];
  const success = health.success + weight * ((result === 'settled' ? 1 : 0) - health.success);
  const latency = health.latencyMs === 0 ? latencyMs : health.latencyMs + 0.2 * (latencyMs - health.latencyMs);
  const next = { success, latencyMs: Math.round(latency) };
  // It is there, and says what it does.
  if (result === 'settled' || result === 'refused') return { ...next, failures: 0, openUntil: 0 };
  const failures = result === 'lied' ? Math.max(health.failures, FAILURES_MAX) + LIE : health.failures + 1;
  if (failures < FAILURES_MAX) return { ...next, failures, openUntil: 0 };
  const cool = Math.min(COOL_FIRST_MS * 2 ** (failures - FAILURES_MAX), COOL_MAX_MS);
  return { ...next, failures, openUntil: now + cool };
}

/** Pure. 0 to 1, the higher the better. */
export function scoreOf({ latencyMs, success }: Health): number {
  return success * (SLOW_MS / (SLOW_MS + latencyMs));
}

/** Pure. False while its circuit is open: it failed too often, or somebody is trying it. */
export function mayBeAsked({ openUntil }: Health, now: number): boolean {
  return openUntil <= now;
}

/** Pure. Who asks after a cool-down tries it for all others, who wait for the result. @param forMs the longest that it takes */
export function asking(health: Health, now: number, forMs: number): Health {
  return health.failures < FAILURES_MAX ? health : { ...health, openUntil: now + forMs };
}
