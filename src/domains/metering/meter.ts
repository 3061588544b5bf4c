import type { MeterRules } from './meter.schemas.js';

/** What a tenant counts, from here on. */
export interface MeterPublished {
  readonly type: 'MeterPublished';
  readonly schema: 1;
  readonly data: { readonly tenant: string; readonly id: string; readonly rules: MeterRules };
}

/** The meter counts no further events. What it has counted stays. */
export interface MeterWithdrawn {
  readonly type: 'MeterWithdrawn';
  readonly schema: 1;
  readonly data: { readonly tenant: string; readonly id: string };
}

export type MeterEvent = MeterPublished | MeterWithdrawn;

/** `undefined` if it was never published. */
export type Meter = { readonly rules: MeterRules; readonly withdrawn: boolean } | undefined;

export function meterStream(tenant: string, id: string): string {
  return `meter/${tenant}/${id}`;
}

export function evolveMeter(state: Meter, event: MeterEvent): Meter {
  if (event.type === 'MeterPublished') return { rules: event.data.rules, withdrawn: false };
  return state && { ...state, withdrawn: true };
}
