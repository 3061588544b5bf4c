import type { Attachment, Decision } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import { invalidRequest, Problem } from '../../base/shared/problem.js';
import type {
  CustomerKeyExpiring,
  CustomerKeyIssued,
  CustomerKeyRevoked,
  CustomerKeys,
  IssuedKey,
} from './customer-key.js';
import type { NewKey } from './key-text.js';

/** Keys of one customer that are good at the same time. */
export const KEYS_MAX = 20;

/** Gives a customer one more key. */
export class IssueKey {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly made: Omit<NewKey, 'key'>,
    readonly options: {
      /** Epoch milliseconds; without it the key is good until it is revoked. */
      readonly expiresAt?: number;
      /** Without them it is good for every route of the tenant. */
      readonly routes?: readonly string[];
    } = {},
  ) {}
}

/** Gives a customer a key in place of another one and of its scope, which stays good for a while. */
export class RotateKey {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly old: string,
    readonly made: Omit<NewKey, 'key'>,
    readonly overlapMs: number,
  ) {}
}

export class RevokeKey {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly key: string,
  ) {}
}

/** @param now epoch milliseconds @throws Problem `too_many_keys`, `invalid_request` */
export function decideIssueKey(keys: CustomerKeys, command: IssueKey, now: number): Decision {
  const { made, options, payer, tenant } = command;
  const { expiresAt } = options;
  if (expiresAt !== undefined && expiresAt <= now) {
    throw invalidRequest([{ pointer: '#/expires_at', detail: 'lies in the past' }]);
  }
  const good = [...keys.values()].filter((key) => key.expiresAt === undefined || Date.parse(key.expiresAt) > now);
  if (good.length >= KEYS_MAX) throw new Problem('too_many_keys');
  const key = issued(made, now, options);
  const event: CustomerKeyIssued = { type: 'CustomerKeyIssued', schema: 2, data: { payer, ...key } };
  return { events: [event], attachments: [keyRow(tenant, payer, key)] };
}

/** The new one has no end; the old one ends after the overlap, or when it would have ended anyway. */
export function decideRotateKey(keys: CustomerKeys, command: RotateKey, now: number): Decision {
  const { made, overlapMs, payer, tenant } = command;
  const old = keys.get(command.old);
  if (!old) throw new Problem('not_found', 'No such key');
  const { attachments, events } = decideIssueKey(keys, new IssueKey(tenant, payer, made, { routes: old.routes }), now);
  const end = new Date(now + overlapMs).toISOString();
  if (old.expiresAt !== undefined && old.expiresAt <= end) return { events, attachments };
  const data = { payer, key: old.key, expiresAt: end };
  const expiring: CustomerKeyExpiring = { type: 'CustomerKeyExpiring', schema: 1, data };
  return {
    events: [...events, expiring],
    attachments: [...attachments!, keyRow(tenant, payer, { ...old, expiresAt: end })],
  };
}

/** Repeatable. */
export function decideRevokeKey(keys: CustomerKeys, { key, payer }: RevokeKey): Decision {
  if (!keys.has(key)) return { events: [] };
  const event: CustomerKeyRevoked = { type: 'CustomerKeyRevoked', schema: 1, data: { payer, key } };
  return { events: [event], removals: [{ table: 'customer_keys', key: { id: key } }] };
}

function issued(
  { digest, id }: Omit<NewKey, 'key'>,
  now: number,
  { expiresAt, routes }: IssueKey['options'],
): IssuedKey {
  return {
    ...{ key: id, digest, issuedAt: new Date(now).toISOString() },
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    ...(routes && { routes: [...new Set(routes)].sort() }),
  };
}

function keyRow(tenant: string, payer: Address, { digest, expiresAt, issuedAt, key, routes }: IssuedKey): Attachment {
  const times = { issued_at: new Date(issuedAt), expires_at: expiresAt === undefined ? null : new Date(expiresAt) };
  return {
    table: 'customer_keys',
    row: { id: key, tenant, payer, digest, scope: routes ? { routes } : null, ...times },
  };
}
