import type { SettlementMode } from '../payments/payment.js';

/** Highest number that BullMQ takes (docs.bullmq.io, "Prioritized"). Lower ones are served first, equal ones in order of arrival. */
const PRIORITY_MAX = 2 ** 21 - 1;
/** Of payments that asked for none (RFC 9218, section 4.1). */
const DEFAULT_URGENCY = 3;
/** What every payment that nobody waits for lets go first, in seconds; more than the least urgent of the others. */
const ASYNC_WAIT = 10;
const ASYNC_WAIT_PER_URGENCY = 2;

/**
 * Pure. For how many seconds payments of more urgency may come and go first: 0 to 7 if somebody waits for the answer, 10 to
 * 24 otherwise, the fewer the more urgent (`urgency` 0 to 7, 0 the most urgent).
 */
export function mayWait(mode: SettlementMode, urgency: number = DEFAULT_URGENCY): number {
  return mode === 'async' ? ASYNC_WAIT + ASYNC_WAIT_PER_URGENCY * urgency : urgency;
}

/** Pure. It goes without waiting for company: somebody waits for the answer, or more urgency was paid for than is usual. */
export function goesAtOnce(mode: SettlementMode, urgency: number = DEFAULT_URGENCY): boolean {
  return mode !== 'async' || urgency < DEFAULT_URGENCY;
}

/**
 * Pure. The second at which a payment is due, as BullMQ's priority: whoever is due first is served first, so that nobody
 * starves, however many of more urgency keep coming. `now` in epoch milliseconds. The numbers begin anew every 24 days;
 * a job from before then waits until no newer one does.
 */
export function priorityAt(now: number, mayWaitSeconds: number): number {
  return 1 + ((Math.floor(now / 1000) + mayWaitSeconds) % PRIORITY_MAX);
}
