import type { Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import type { CustomerTariffAssigned, CustomerTariffRemoved } from './customer-tariff.js';

export class AssignTariff {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly route: string,
    /** Id of a published tariff of the tenant; tariffs are never taken away. */
    readonly tariff: string,
    readonly expected?: Expected,
  ) {}
}

export class RemoveTariff {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly route: string,
    readonly expected?: Expected,
  ) {}
}

/** Quotes that are out stand until they expire. @param version events in the stream so far */
export function decideAssignTariff(
  state: string | undefined,
  { payer, route, tariff, tenant }: AssignTariff,
  _now: number,
  version: number,
): Decision {
  if (state === tariff) return { events: [] };
  const event: CustomerTariffAssigned = { type: 'CustomerTariffAssigned', schema: 1, data: { payer, route, tariff } };
  const row = { tenant, payer, route, tariff, revision: version + 1 };
  return { events: [event], attachments: [{ table: 'customer_tariffs', row }] };
}

export function decideRemoveTariff(state: string | undefined, { payer, route, tenant }: RemoveTariff): Decision {
  if (state === undefined) return { events: [] };
  const event: CustomerTariffRemoved = { type: 'CustomerTariffRemoved', schema: 1, data: { payer, route } };
  return { events: [event], removals: [{ table: 'customer_tariffs', key: { tenant, payer, route } }] };
}
