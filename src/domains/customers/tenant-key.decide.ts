import type { Decision } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type { NewKey } from './key-text.js';
import { type TenantKeyKind, type TenantKeys, tenantKeys } from './tenant-key.js';

/** Keys of one tenant and kind that are good at the same time. */
export const TENANT_KEYS_MAX = 20;

/** Gives a tenant's servers one more key. With two of them one is changed for the other at leisure. */
export class IssueTenantKey {
  constructor(
    readonly kind: TenantKeyKind,
    readonly tenant: string,
    readonly made: Omit<NewKey, 'key'>,
  ) {}
}

export class RevokeTenantKey {
  constructor(
    readonly kind: TenantKeyKind,
    readonly tenant: string,
    readonly key: string,
  ) {}
}

/** @param now epoch milliseconds @throws Problem `too_many_keys` */
export function decideIssueTenantKey(keys: TenantKeys, command: IssueTenantKey, now: number): Decision {
  if (keys.size >= TENANT_KEYS_MAX) throw new Problem('too_many_keys');
  const { kind, made, tenant } = command;
  const { issued: type, table } = tenantKeys[kind];
  const data = { key: made.id, digest: made.digest, issuedAt: new Date(now).toISOString() };
  const row = { id: data.key, tenant, digest: data.digest, issued_at: new Date(now) };
  return { events: [{ type, schema: 1, data }], attachments: [{ table, row }] };
}

/** A key that is not there any more is revoked already. */
export function decideRevokeTenantKey(keys: TenantKeys, { key, kind }: RevokeTenantKey): Decision {
  if (!keys.has(key)) return { events: [] };
  const { revoked: type, table } = tenantKeys[kind];
  return { events: [{ type, schema: 1, data: { key } }], removals: [{ table, key: { id: key } }] };
}
