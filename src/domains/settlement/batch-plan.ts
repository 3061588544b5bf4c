/** Payments that make a batch worth sending: with more the gas of each hardly falls. */
export const BATCH_FULL = 40;
/** Most payments in one transaction, when they come faster than transactions may be sent. `batchGas` has room for them, and a payer with code. */
export const BATCH_MAX = 80;

/** How long a payment that nobody waits for lets others join it, in milliseconds: while gas has its usual price, and at most. */
const WAIT_MS = 1_000;
export const WAIT_MAX_MS = 30_000;
/** More for each doubling of the price: what is dear now is likely to be cheaper soon. */
const WAIT_PER_PRICE_MS = 10_000n;
/** From then on an authorization does not wait, in milliseconds before it lapses: blocks and replacements take time. */
export const MARGIN_MS = 30_000;

/** A payment that waits for a transaction. */
export interface Waiting {
  /** It goes at once: somebody waits for the answer, or has paid for urgency, or it has been tried before. */
  readonly urgent: boolean;
  /** Since when it waits, in milliseconds. */
  readonly since: number;
  /** When its authorization lapses, in milliseconds of the same clock. */
  readonly lapsesAt: number;
}

/** Of one unit of gas in wei: in the next block, and in the middle of the blocks of late. */
export interface GasPrices {
  readonly now: bigint;
  readonly usual: bigint;
}

export interface BatchPlan<T> {
  /** What goes into a transaction now, in this order; nothing if it is better to wait. */
  readonly send: readonly T[];
  /** Milliseconds after which something is to be sent, should nobody else come before. 0 if something is, or nobody waits. */
  readonly waitMs: number;
}

/**
 * Pure. Whether to send now, and what. Those who wait together travel together: a full batch goes at once, and so does an
 * urgent payment with everybody that is there. The others wait for company, the longer the dearer gas is, and never
 * into the last seconds of an authorization. Whoever is left out of a batch is left out for the urgent or the older.
 */
export function batchPlan<T extends Waiting>(waiting: readonly T[], now: number, prices: GasPrices): BatchPlan<T> {
  if (waiting.length === 0) return { send: [], waitMs: 0 };
  const due = waiting.length >= BATCH_FULL ? now : Math.min(...waiting.map((one) => dueAt(one, prices)));
  if (due > now) return { send: [], waitMs: due - now };
  const ordered = waiting.toSorted((a, b) => Number(b.urgent) - Number(a.urgent) || a.since - b.since);
  return { send: ordered.slice(0, BATCH_MAX), waitMs: 0 };
}

function dueAt({ lapsesAt, since, urgent }: Waiting, prices: GasPrices): number {
  return urgent ? since : Math.min(since + waitFor(prices), lapsesAt - MARGIN_MS);
}

/** Pure. Milliseconds that a payment waits for company. */
export function waitFor({ now, usual }: GasPrices): number {
  if (now <= usual || usual === 0n) return WAIT_MS;
  return Math.min(WAIT_MS + Number(((now - usual) * WAIT_PER_PRICE_MS) / usual), WAIT_MAX_MS);
}
