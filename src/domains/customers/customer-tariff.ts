import type { Address } from '../../base/shared/hex.js';

/** On this route a customer who proves who it is pays by another tariff than everybody. */
export interface CustomerTariffAssigned {
  readonly type: 'CustomerTariffAssigned';
  readonly schema: 1;
  readonly data: { readonly payer: Address; readonly route: string; readonly tariff: string };
}

export interface CustomerTariffRemoved {
  readonly type: 'CustomerTariffRemoved';
  readonly schema: 1;
  readonly data: { readonly payer: Address; readonly route: string };
}

export type CustomerTariffEvent = CustomerTariffAssigned | CustomerTariffRemoved;

export function customerTariffStream(tenant: string, payer: Address, route: string): string {
  return `customer-tariff/${tenant}/${payer}/${route}`;
}

/** Folds one event into the id of the tariff, if there is one. */
export function evolveCustomerTariff(_state: string | undefined, event: CustomerTariffEvent): string | undefined {
  return event.type === 'CustomerTariffRemoved' ? undefined : event.data.tariff;
}
