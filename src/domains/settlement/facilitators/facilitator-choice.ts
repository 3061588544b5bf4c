import { type Delegation, OWN_SETTLERS } from '../../payments/delegation.js';
import { type Health, mayBeAsked, scoreOf } from './facilitator-health.js';

/** Who may settle a payment, in the tenant's order. */
export interface Choice {
  readonly facilitators: readonly { readonly url: string; readonly health: Health }[];
  /** May the settlers here do it, when nobody else has? */
  readonly own: 'last' | 'never';
  /** Of this payment, oldest first. */
  readonly delegations: readonly Delegation[];
  /** An attempt that ended before its time. */
  readonly ended?: number | undefined;
}

export type Step =
  | { readonly kind: 'ask'; readonly url: string }
  /** `agreed`: the log says so already. */
  | { readonly kind: 'own'; readonly agreed: boolean }
  | { readonly kind: 'wait'; readonly why: string };

/** Time between the first two rounds, in milliseconds; each later one is twice as long, so that a payment has few of them. */
const ROUND_MS = 5_000;

/**
 * Pure. Everybody is asked once before anybody is asked again, the best first: by tenths of the score, so that small differences
 * leave the tenant's order. @param now epoch milliseconds
 */
export function nextStep({ delegations, ended, facilitators, own }: Choice, now: number): Step {
  const last = delegations.at(-1);
  if (last && last.attempt !== ended && Number(last.until) > now) {
    return last.facilitator === OWN_SETTLERS ? { kind: 'own', agreed: true } : wait('a facilitator has it');
  }
  const tries = (name: string) => delegations.filter(({ facilitator }) => facilitator === name).length;
  const free = facilitators.filter(({ health }) => mayBeAsked(health, now));
  const names = [...free.map(({ url }) => url), ...(own === 'last' ? [OWN_SETTLERS] : [])];
  if (names.length === 0) return wait('no facilitator can be asked now');
  const counts = names.map(tries);
  const round = Math.min(...counts);
  const isNew = counts.every((count) => count === round);
  if (last && isNew && round > 0 && now < Number(last.until) + ROUND_MS * 2 ** (round - 1)) {
    return wait('everybody has been asked; they are asked again later');
  }
  const [best] = free.filter(({ url }) => tries(url) === round).sort((a, b) => tenths(b.health) - tenths(a.health));
  return best ? { kind: 'ask', url: best.url } : { kind: 'own', agreed: false };
}

function wait(why: string): Step {
  return { kind: 'wait', why };
}

function tenths(health: Health): number {
  return Math.round(10 * scoreOf(health));
}
