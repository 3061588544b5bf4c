import type { Prisma } from '../../base/platform/prisma.js';
import type { AccountKey as KeyRow, Account as Row } from '../../generated/prisma/client.js';
import type { Billing, KeySource, SuspensionReason, WayToPay } from './account.js';
import type { SigningJwk } from './signing-key.js';

export interface AccountView {
  readonly tenant: string;
  readonly customer: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly network: string;
  readonly asset: string;
  readonly decimals: number;
  /** Atomic units of the asset, as are all amounts of the account. */
  readonly credit_line: string;
  readonly period: Billing['period'];
  readonly time_zone: string;
  readonly way_to_pay: { readonly method: WayToPay['method']; readonly reference: string | null };
  readonly status: 'active' | 'suspended';
  readonly suspended_for: SuspensionReason | null;
  readonly opened_at: string;
}

export interface SigningKeyView {
  /** RFC 7638 thumbprint. */
  readonly id: string;
  readonly jwk: SigningJwk;
  readonly source: KeySource;
  readonly added_at: string;
}

export function findAccount(prisma: Prisma, tenant: string, customer: string): Promise<Row | null> {
  return prisma.account.findUnique({ where: { tenant_customer: { tenant, customer } } });
}

/** By tenant and customer, from after a row; one row more than `limit` if there is another page. */
export function listAccounts(
  prisma: Prisma,
  filter: { readonly tenant?: string },
  after: readonly string[] | undefined,
  limit: number,
): Promise<Row[]> {
  const [tenant, customer] = after ?? [];
  const later = after ? { OR: [{ tenant: { gt: tenant } }, { tenant, customer: { gt: customer } }] } : {};
  const orderBy = [{ tenant: 'asc' as const }, { customer: 'asc' as const }];
  return prisma.account.findMany({ where: { AND: [filter, later] }, orderBy, take: limit + 1 });
}

export function accountKey({ customer, tenant }: Row): readonly string[] {
  return [tenant, customer];
}

export function accountView(row: Row): AccountView {
  const { asset, currency, customer, decimals, network, tenant } = row;
  return {
    ...{ tenant, customer, currency, network, asset, decimals },
    credit_line: row.creditLine.toFixed(),
    period: row.period as Billing['period'],
    time_zone: row.timeZone,
    way_to_pay: { method: row.wayToPay as WayToPay['method'], reference: row.payReference },
    status: row.suspended === null ? 'active' : 'suspended',
    suspended_for: row.suspended as SuspensionReason | null,
    opened_at: row.openedAt.toISOString(),
  };
}

/** Those that are not revoked, oldest first. */
export async function signingKeysOf(prisma: Prisma, tenant: string, customer: string): Promise<SigningKeyView[]> {
  const orderBy = [{ addedAt: 'asc' as const }, { keyId: 'asc' as const }];
  return (await prisma.accountKey.findMany({ where: { tenant, customer }, orderBy })).map(keyView);
}

function keyView({ addedAt, keyId, source, x }: KeyRow): SigningKeyView {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const;
  return { id: keyId, jwk, source: source as KeySource, added_at: addedAt.toISOString() };
}

export async function walletsOf(prisma: Prisma, tenant: string, customer: string): Promise<string[]> {
  const rows = await prisma.accountWallet.findMany({ where: { tenant, customer }, orderBy: { wallet: 'asc' } });
  return rows.map(({ wallet }) => wallet);
}
