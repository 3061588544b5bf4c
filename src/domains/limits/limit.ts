import type { LimitRules } from './limit.schemas.js';

/** What a tenant allows, from here on. */
export interface LimitPublished {
  readonly type: 'LimitPublished';
  readonly schema: 2;
  readonly data: { readonly tenant: string; readonly id: string; readonly rules: LimitRules };
}

/** As stored before version 2. */
export interface LimitPublishedV1 {
  readonly type: 'LimitPublished';
  readonly schema: 1;
  readonly data: { readonly tenant: string; readonly id: string; readonly rules: RulesV1 };
}

type Requests = Extract<LimitRules, { measure: 'requests' | 'amount' }>;
type RulesV1 =
  | (Omit<Requests, 'measure'> & { readonly measure: 'requests' | 'units' | 'amount' })
  | Extract<LimitRules, { measure: 'exposure' }>;

/** The limit does not count any more. What was used of it is forgotten with its windows. */
export interface LimitWithdrawn {
  readonly type: 'LimitWithdrawn';
  readonly schema: 1;
  readonly data: { readonly tenant: string; readonly id: string };
}

export type LimitEvent = LimitPublished | LimitWithdrawn;

/** Its rules, or `undefined` if it was never published or is withdrawn. */
export type Limit = LimitRules | undefined;

export function limitStream(tenant: string, id: string): string {
  return `limit/${tenant}/${id}`;
}

/** Folds one event; the last one says all. */
export function evolveLimit(_state: Limit, event: LimitEvent): Limit {
  return event.type === 'LimitPublished' ? event.data.rules : undefined;
}
