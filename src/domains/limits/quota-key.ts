import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import { calendarPeriod } from '../../base/shared/calendar-window.js';
import { isCredit } from './credit.js';
import type { Quota, Window } from './limit.schemas.js';

/** The asset that money is counted in. */
export interface Token {
  readonly network: string;
  readonly asset: string;
}

/**
 * What a limit is counted under: `quota/{tenant}/{limit}/{window}/{payer or *}/{end}`, with `{limit}:units` for units,
 * `{limit}:units:{meter}` for those of a meter, and
 * `spend/{tenant}/{limit}:{network}:{asset}/…` for money, so that things of different kinds are never added up. A calendar window has
 * a total of its own, named by the second at which it ends. A rolling window has one total for ever; `@{slot}` behind it names the
 * part of it that a request belongs to. Both are what the events say. Earlier versions named units and money without `:…`.
 */
export interface QuotaKey {
  readonly tenant: string;
  readonly limit: string;
  readonly window: string;
  readonly subject: string;
  readonly measure: Quota['measure'];
  /** Of units. */
  readonly meter?: string;
  /** All before the subject. */
  readonly prefix: string;
}

export const EVERYBODY = '*';

/** Parts of a rolling window: a request counts for as long as the window, and up to a part of it longer. */
const SLOTS = 60;
/** Further parts that are kept, for gateways whose clocks are behind. */
const SLOTS_SPARE = 6;

/** All of a limit's key before the subject. @param token of the tenant, for money */
export function quotaPrefix(tenant: string, limit: string, rules: Quota, token: Token): string {
  const name = windowName(rules.window);
  if (rules.measure === 'requests') return `quota/${tenant}/${limit}/${name}/`;
  if (rules.measure === 'units') return `quota/${tenant}/${limit}:units${meterSuffix(rules.meter)}/${name}/`;
  return `spend/${tenant}/${limit}:${token.network}:${token.asset}/${name}/`;
}

function meterSuffix(meter: string | undefined): string {
  return meter === undefined ? '' : `:${meter}`;
}

export function windowName(window: Window): string {
  return window.kind === 'calendar' ? window.unit : `${window.seconds}s`;
}

/** Length of a slot of a rolling window, in milliseconds. */
export function slotLength(seconds: number): number {
  return Math.ceil((seconds * 1000) / SLOTS);
}

/** The slots of a rolling window that count at an instant: those that may hold a request of less than the window ago. */
export function rollingAt(seconds: number, at: number) {
  const length = slotLength(seconds);
  const slot = Math.floor(at / length) * length;
  // A request at the very end of a slot counts until the window has passed since then.
  const since = Math.floor((at - seconds * 1000) / length) * length;
  return { slot, since, forgetBefore: since - SLOTS_SPARE * length };
}

/** The total that a request at an instant counts to, and the key that its event names. */
export function placeOf(prefix: string, subject: string, window: Window, at: number) {
  if (window.kind === 'calendar') {
    const { end } = calendarPeriod(window.unit, window.timeZone, at);
    return { key: `${prefix}${subject}/${end / 1000}`, expiresAt: end };
  }
  const rolling = rollingAt(window.seconds, at);
  const expiresAt = rolling.slot + slotLength(window.seconds) + window.seconds * 1000;
  return { key: `${prefix}${subject}`, rolling, expiresAt };
}

/** The key as events name it: with the slot. */
export function eventKeyOf({ key, rolling }: Pick<HoldRequest, 'key' | 'rolling'>): string {
  return rolling ? `${key}@${rolling.slot}` : key;
}

/** Where an event's key is counted: nothing of it is forgotten or left out by giving it back, or taking it again. */
export function countedAt(eventKey: string): Pick<HoldRequest, 'key' | 'rolling' | 'signed'> {
  if (isCredit(eventKey)) return { key: eventKey, signed: true };
  const at = eventKey.lastIndexOf('@');
  if (at < 0) return { key: eventKey };
  const always = Number.NEGATIVE_INFINITY;
  return {
    key: eventKey.slice(0, at),
    rolling: { slot: Number(eventKey.slice(at + 1)), since: always, forgetBefore: always },
  };
}

/** `undefined` for exposure. */
export function parseQuotaKey(key: string): QuotaKey | undefined {
  const [kind, tenant, counted, window, subject] = key.split('/');
  if (kind !== 'quota' && kind !== 'spend') return undefined;
  const [limit, of, meter] = counted!.split(':');
  return {
    ...{ tenant: tenant!, limit: limit!, window: window!, subject: subject!.split('@')[0]! },
    measure: kind === 'spend' ? 'amount' : of === 'units' ? 'units' : 'requests',
    ...(kind === 'quota' && meter !== undefined ? { meter } : {}),
    prefix: `${kind}/${tenant}/${counted}/${window}/`,
  };
}
