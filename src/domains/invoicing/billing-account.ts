import type { StoredEvent } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { type AccountEvent, accountStream, type CustomerId } from '../customers/account.js';
import { clockStream, type TenantClockAdvanced } from '../customers/tenant-clock.js';
import { periodsUntil, type Span, type ZoneSince } from './periods.js';

/** What invoices of an account are reckoned by, all of it fixed by the log up to now. */
export interface BillingAccount {
  readonly tenant: string;
  readonly customer: CustomerId;
  readonly currency: string;
  readonly network: Network;
  readonly asset: Address;
  readonly decimals: number;
  /** By the tenant's clock, epoch milliseconds. */
  readonly openedAt: number;
  readonly zones: readonly ZoneSince[];
}

/** In one read; customers without an account are missing. */
export async function billingAccounts(
  store: Pick<EventStore, 'readStreams'>,
  tenant: string,
  customers: readonly CustomerId[],
): Promise<Map<string, BillingAccount>> {
  const names = customers.map((customer) => accountStream(tenant, customer));
  const streams = await store.readStreams([clockStream(tenant), ...names]);
  const clock = streams.get(clockStream(tenant)) ?? [];
  return new Map(
    names.flatMap((name, index) => {
      const events = streams.get(name);
      return events ? [[customers[index]!, billingAccount(tenant, events, clock)] as const] : [];
    }),
  );
}

/** Pure. @param clock changes of the tenant's clock, oldest first */
export function billingAccount(
  tenant: string,
  events: readonly StoredEvent[],
  clock: readonly StoredEvent[],
): BillingAccount {
  const zones: ZoneSince[] = [];
  let opened: Omit<BillingAccount, 'zones'> | undefined;
  for (const stored of events) {
    const event = { type: stored.type, data: stored.data } as unknown as AccountEvent;
    if (event.type === 'AccountOpened') {
      const { asset, currency, customer, decimals, network } = event.data;
      opened = { tenant, customer, currency, network, asset, decimals, openedAt: timeOf(stored, clock) };
    }
    if (event.type === 'AccountOpened' || event.type === 'BillingSet') {
      zones.push({ timeZone: event.data.timeZone, since: timeOf(stored, clock) });
    }
  }
  if (!opened) throw new Error('an account without its opening');
  return { ...opened, zones };
}

/** By the tenant's clock, with the offset in force at its place in the log. */
function timeOf({ occurredAt, position }: StoredEvent, clock: readonly StoredEvent[]): number {
  const change = clock.findLast((one) => one.position < position);
  const offset = (change?.data as TenantClockAdvanced['data'] | undefined)?.offsetMs ?? 0;
  return occurredAt.getTime() + offset;
}

/** Its periods to the one that an instant is in. */
export function periodsOf({ openedAt, zones }: BillingAccount, until: number): readonly Span[] {
  return periodsUntil(openedAt, zones, until);
}

/** The zone that a period which begins then is in. */
export function zoneAt({ zones }: BillingAccount, at: number): string {
  return (zones.findLast(({ since }) => since <= at) ?? zones[0]!).timeZone;
}

/** Digits of a currency's minor unit: 2 for USD. @param currency ISO 4217 */
export function minorDigitsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits!;
}
