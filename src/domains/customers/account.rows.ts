import type { Attachment, Removal } from '../../base/event-store/unit-of-work.js';
import type { Account, CustomerId, KeySource } from './account.js';
import { keyIdOf, type SigningJwk } from './signing-key.js';

/** The rows beside an account's events, by which gateways find it and decide. */

interface Owner {
  readonly tenant: string;
  readonly customer: CustomerId;
}

export function keyRow({ customer, tenant }: Owner, jwk: SigningJwk, source: KeySource, now: number): Attachment {
  const row = { tenant, key_id: keyIdOf(jwk), customer, x: jwk.x, source, added_at: new Date(now) };
  return { table: 'account_keys', row };
}

export function keyRemoval(tenant: string, key: string): Removal {
  return { table: 'account_keys', key: { tenant, key_id: key } };
}

export function accountRow(tenant: string, account: Account, revision: number): Attachment {
  const { billing, creditLine, directory, opened, suspended, wayToPay } = account;
  const { asset, currency, customer, decimals, network, openedAt } = opened;
  const row = {
    ...{ tenant, customer, currency, network, asset, decimals, credit_line: creditLine },
    ...{ period: billing.period, time_zone: billing.timeZone, way_to_pay: wayToPay.method },
    ...{ pay_reference: wayToPay.reference, suspended, revision, opened_at: new Date(openedAt) },
    ...{ key_directory: directory?.url, directory_private: directory?.allowPrivate },
  };
  return { table: 'accounts', row };
}
