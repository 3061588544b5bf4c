import type { Decision } from '../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';
import type { TenantClockAdvanced } from '../customers/tenant-clock.js';
import type { AccountTaxesSet, InvoicingRules, InvoicingSet, MeterCharge, MeterPriced, TaxRate } from './settings.js';

export class SetInvoicing {
  constructor(
    readonly tenant: string,
    readonly rules: InvoicingRules,
  ) {}
}

/** From the next invoice that is made final on. */
export class SetAccountTaxes {
  constructor(
    readonly tenant: string,
    readonly customer: string,
    readonly rates: readonly TaxRate[],
  ) {}
}

/** @param customer of one account; else for all that have no price of their own */
export class PriceMeter {
  constructor(
    readonly tenant: string,
    readonly meter: string,
    readonly charge: MeterCharge,
    readonly customer?: string,
  ) {}
}

export class AdvanceClock {
  /** @param to epoch milliseconds by the tenant's clock */
  constructor(
    readonly tenant: string,
    readonly to: number,
  ) {}
}

/** What stands beside the clock's stream. */
export interface ClockBeside {
  readonly offset: number;
  /** Whether the tenant has customers who owe it money. */
  readonly hasAccounts: boolean;
}

const NOTHING: Decision = { events: [] };

/** The same again changes nothing. */
export function decideInvoicing(state: InvoicingRules | undefined, { rules, tenant }: SetInvoicing): Decision {
  if (state && same({ ...rules, tenant }, state)) return NOTHING;
  const event: InvoicingSet = { type: 'InvoicingSet', schema: 1, data: { ...rules, tenant } };
  return { events: [event] };
}

export function decideTaxes(state: AccountTaxesSet['data'] | undefined, command: SetAccountTaxes): Decision {
  const { customer, rates, tenant } = command;
  if (same(rates, state?.rates ?? [])) return NOTHING;
  const event: AccountTaxesSet = { type: 'AccountTaxesSet', schema: 1, data: { tenant, customer, rates } };
  return { events: [event] };
}

/** The first price counts for what was counted already, each other one for periods that begin later. @param now by the tenant's clock */
export function decidePrice(state: MeterPriced['data'] | undefined, command: PriceMeter, now: number): Decision {
  const { charge, customer, meter, tenant } = command;
  if (state && same(charge, state.charge)) return NOTHING;
  const effectiveFrom = new Date(state || customer !== undefined ? now : 0).toISOString();
  const version = (state?.version ?? 0) + 1;
  const data = { tenant, meter, ...(customer !== undefined && { customer }), version, effectiveFrom, charge };
  const event: MeterPriced = { type: 'MeterPriced', schema: 1, data };
  return { events: [event] };
}

/**
 * A clock is for trials if it was put forward before the tenant had an account, or the tenant is the demo.
 *
 * @param now the real time @throws Problem `clock_is_real`, `clock_goes_back`
 */
export function decideAdvance({ tenant, to }: AdvanceClock, now: number, beside: ClockBeside): Decision {
  const { hasAccounts, offset } = beside;
  if (tenant !== 'demo' && offset === 0 && hasAccounts) throw new Problem('clock_is_real');
  const offsetMs = to - now;
  if (offsetMs < offset) throw new Problem('clock_goes_back');
  if (offsetMs === offset) return NOTHING;
  const event: TenantClockAdvanced = { type: 'TenantClockAdvanced', schema: 1, data: { tenant, offsetMs } };
  return { events: [event], attachments: [{ table: 'tenant_clocks', row: { tenant, offset_ms: offsetMs } }] };
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a as Json) === canonicalJson(b as Json);
}
