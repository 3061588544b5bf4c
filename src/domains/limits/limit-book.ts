import type { Slots } from '../../base/event-store/rolling-sum.js';
import type { GrantedHold, HoldRequest, RefusedHold } from '../../base/event-store/unit-of-work.js';
import { calendarPeriod } from '../../base/shared/calendar-window.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { exposureKey, tenantExposureKey } from './exposure.js';
import type { Hold } from './hold.js';
import { type LimitRules, limitSchema, type Quota } from './limit.schemas.js';
import {
  countedAt,
  EVERYBODY,
  parseQuotaKey,
  placeOf,
  type QuotaKey,
  quotaPrefix,
  slotLength,
  windowName,
} from './quota-key.js';

/** Most that one payer may owe a tenant while its settlements are under way, unless a limit says otherwise: 100 USDC. */
const EXPOSURE_DEFAULT = 100_000_000n;

/** One request, as limits see it. */
export interface Counted {
  readonly tenant: { readonly id: string; readonly network: Network; readonly asset: Address };
  readonly route: string;
  /** An address, or the id of an account. */
  readonly payer: string;
  readonly units: bigint;
  /** What the units are, if the tariff says so. */
  readonly meter?: string;
  /** Atomic units. */
  readonly amount: bigint;
}

export interface LimitRow {
  readonly tenant: string;
  readonly id: string;
  readonly rules: unknown;
}

interface Compiled {
  readonly id: string;
  readonly rules: LimitRules;
  readonly quantity: bigint;
}
interface CompiledQuota extends Compiled {
  readonly rules: Quota;
}

/** Where somebody stands under one limit. */
export interface LimitState {
  readonly id: string;
  readonly measure: Quota['measure'];
  readonly quantity: bigint;
  readonly used: bigint;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** When there is more, in epoch milliseconds; missing if that is not known, or no time will help. */
  readonly resetsAt?: number;
}

/** What the tenants allow: immutable, compiled whenever something was published. */
export class LimitBook {
  private readonly quotas = new Map<string, CompiledQuota[]>();
  private readonly exposures = new Map<string, Compiled[]>();

  /** @throws if a row does not fit its schema: such a row was not written by a publication */
  constructor(rows: readonly LimitRow[]) {
    for (const { id, rules: stored, tenant } of rows) {
      const rules = limitSchema.parse(stored);
      const quantity = BigInt(rules.quantity);
      if (rules.measure === 'exposure') push(this.exposures, tenant, { id, rules, quantity });
      else push(this.quotas, tenant, { id, rules, quantity });
    }
  }

  /** Pure: what a request has to get of every quota and spending limit that concerns it. @param at epoch milliseconds */
  quotasOf(request: Counted, at: number): readonly HoldRequest[] {
    const quotas = this.quotas.get(request.tenant.id);
    if (!quotas) return NONE;
    return quotas.filter(({ rules }) => concerns(rules, request)).map((quota) => holdOf(quota, request, at));
  }

  /**
   * Pure: what a request has to get to be answered before it is settled. The limit of this payer counts before that of every payer.
   * @param affordable what the payer is known to have: concurrent requests share one balance
   */
  exposureOf(request: Counted, affordable: bigint): readonly HoldRequest[] {
    const { amount, payer, tenant } = request;
    const limits = this.exposures.get(tenant.id) ?? [];
    const ofPayer =
      limits.find(({ rules }) => rules.payer === payer) ??
      limits.find(({ rules }) => rules.per === 'payer' && rules.payer === undefined);
    const allowed = ofPayer?.quantity ?? EXPOSURE_DEFAULT;
    const limit = affordable < allowed ? affordable : allowed;
    const holds = [{ key: exposureKey(tenant, payer), delta: amount, limit }];
    const ofTenant = limits.filter(({ rules }) => rules.per === 'tenant').map(({ quantity }) => quantity);
    if (ofTenant.length === 0) return holds;
    const [least] = ofTenant.sort((a, b) => Number(a > b) - Number(a < b));
    return [...holds, { key: tenantExposureKey(tenant), delta: amount, limit: least }];
  }

  /** Pure: what an interrupted request has to get again. A window that is over has no limit any more, nor has one withdrawn. */
  retake(holds: readonly Hold[], at: number): readonly HoldRequest[] {
    return holds.map(({ amount, key }) => {
      const [place, delta] = [countedAt(key), BigInt(amount)];
      const named = parseQuotaKey(key);
      const quota = named && this.quotaOf(named);
      if (!quota) return { ...place, delta };
      const { quantity, rules } = quota;
      const now = placeOf(named.prefix, named.subject, rules.window, at);
      const runs = place.rolling ? place.rolling.slot >= now.rolling!.since : place.key === now.key;
      if (!runs) return { ...place, delta };
      const rolling = place.rolling && { ...now.rolling!, slot: place.rolling.slot };
      return { ...now, rolling, delta, limit: quantity, hard: true };
    });
  }

  /** Pure: where a caller stands under a limit that it holds or that refused it; `undefined` if it was withdrawn meanwhile. */
  stateOf({ request, held, slots }: GrantedHold & Pick<RefusedHold, 'slots'>): LimitState | undefined {
    const named = parseQuotaKey(request.key);
    const quota = named && this.quotaOf(named);
    if (!quota) return undefined;
    const { id, quantity, rules } = quota;
    const state = { id, measure: rules.measure, quantity, used: held };
    if (rules.window.kind === 'calendar') {
      const { end, start } = calendarPeriod(rules.window.unit, rules.window.timeZone, request.expiresAt! - 1);
      return { ...state, windowMs: end - start, resetsAt: end };
    }
    const windowMs = rules.window.seconds * 1000;
    const missing = held + request.delta - quantity;
    if (!slots || request.delta > quantity) return { ...state, windowMs };
    return { ...state, windowMs, resetsAt: freeAt(slots, request.rolling!.since, missing, windowMs) };
  }

  /** The limit that is counted under a key, as long as it counts the same. */
  private quotaOf({ limit, measure, meter, tenant, window }: QuotaKey): CompiledQuota | undefined {
    const quota = this.quotas.get(tenant)?.find(({ id }) => id === limit);
    if (quota?.rules.measure !== measure || meterOf(quota.rules) !== meter) return undefined;
    return windowName(quota.rules.window) === window ? quota : undefined;
  }
}

const NONE: readonly HoldRequest[] = [];

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function meterOf(rules: Quota): string | undefined {
  return rules.measure === 'units' ? rules.meter : undefined;
}

function concerns(rules: Quota, request: Counted): boolean {
  const { payer, routes } = rules;
  const meter = meterOf(rules);
  if (meter !== undefined && meter !== request.meter) return false;
  if (payer !== undefined && payer !== request.payer) return false;
  return routes === undefined || routes.includes(request.route);
}

function holdOf({ id, quantity, rules }: CompiledQuota, request: Counted, at: number): HoldRequest {
  const { tenant } = request;
  const prefix = quotaPrefix(tenant.id, id, rules, tenant);
  const subject = rules.per === 'tenant' ? EVERYBODY : request.payer;
  const { key, rolling, expiresAt } = placeOf(prefix, subject, rules.window, at);
  return { key, rolling, expiresAt, delta: deltaOf(rules.measure, request), limit: quantity, hard: true };
}

function deltaOf(measure: Quota['measure'], { amount, units }: Counted): bigint {
  if (measure === 'requests') return 1n;
  return measure === 'units' ? units : amount;
}

/** When so many slots do not count any more that `missing` is free, in epoch milliseconds. */
function freeAt(slots: Slots, since: number, missing: bigint, windowMs: number): number | undefined {
  let left = missing;
  for (const slot of [...slots.keys()].filter((one) => one >= since).sort((a, b) => a - b)) {
    left -= slots.get(slot)!;
    if (left <= 0n) return slot + slotLength(windowMs / 1000) + windowMs;
  }
  return undefined;
}
