import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { clockStream, evolveClock, type TenantClockAdvanced } from '../customers/tenant-clock.js';
import { offsetOf } from '../customers/tenant-clock.queries.js';
import {
  AdvanceClock,
  type ClockBeside,
  decideAdvance,
  decideInvoicing,
  decidePrice,
  decideTaxes,
  PriceMeter,
  SetAccountTaxes,
  SetInvoicing,
} from './settings.decide.js';
import {
  type AccountTaxesSet,
  type InvoicingSet,
  invoicingStream,
  type MeterPriced,
  meterPriceStream,
  taxesStream,
} from './settings.js';

/** The newest event says what stands. */
const newest = <E extends { readonly data: object }>(_state: E['data'] | undefined, event: E): E['data'] => event.data;
const exists = (state: unknown) => state !== undefined;

export const settingsHandlers = [
  ruleHandler<SetInvoicing, InvoicingSet, InvoicingSet['data'] | undefined>(SetInvoicing, {
    place: ({ tenant }) => ({ tenant, stream: invoicingStream(tenant) }),
    ...{ initial: undefined, evolve: newest, exists },
    decide: (state, command) => decideInvoicing(state, command),
  }),
  ruleHandler<SetAccountTaxes, AccountTaxesSet, AccountTaxesSet['data'] | undefined>(SetAccountTaxes, {
    place: ({ customer, tenant }) => ({ tenant, stream: taxesStream(tenant, customer) }),
    ...{ initial: undefined, evolve: newest, exists },
    decide: (state, command) => decideTaxes(state, command),
  }),
  ruleHandler<PriceMeter, MeterPriced, MeterPriced['data'] | undefined, number>(PriceMeter, {
    place: ({ customer = '*', meter, tenant }) => ({ tenant, stream: meterPriceStream(tenant, meter, customer) }),
    ...{ initial: undefined, evolve: newest, exists },
    beside: (pool, { tenant }) => offsetOf(pool, tenant),
    decide: (state, command, now, _version, offset) => decidePrice(state, command, now + offset!),
  }),
  ruleHandler<AdvanceClock, TenantClockAdvanced, number, ClockBeside>(AdvanceClock, {
    place: ({ tenant }) => ({ tenant, stream: clockStream(tenant) }),
    ...{ initial: 0, evolve: evolveClock, exists: () => true },
    beside: async (pool, { tenant }) => {
      const { rows } = await pool.query('select 1 from accounts where tenant = $1 limit 1', [tenant]);
      return { offset: await offsetOf(pool, tenant), hasAccounts: rows.length > 0 };
    },
    decide: (_offset, command, now, _version, beside) => decideAdvance(command, now, beside!),
  }),
];
