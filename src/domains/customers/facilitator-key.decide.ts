import type { Decision } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type { FacilitatorKeyIssued, FacilitatorKeyRevoked, FacilitatorKeys } from './facilitator-key.js';
import type { NewKey } from './key-text.js';

/** Keys of one tenant that are good at the same time. */
export const FACILITATOR_KEYS_MAX = 20;

/** Gives a tenant's servers one more key for the facilitator. With two of them one is changed for the other at leisure. */
export class IssueFacilitatorKey {
  constructor(
    readonly tenant: string,
    readonly made: Omit<NewKey, 'key'>,
  ) {}
}

export class RevokeFacilitatorKey {
  constructor(
    readonly tenant: string,
    readonly key: string,
  ) {}
}

/** @param now epoch milliseconds @throws Problem `too_many_keys` */
export function decideIssueFacilitatorKey(keys: FacilitatorKeys, command: IssueFacilitatorKey, now: number): Decision {
  if (keys.size >= FACILITATOR_KEYS_MAX) throw new Problem('too_many_keys');
  const { made, tenant } = command;
  const data = { key: made.id, digest: made.digest, issuedAt: new Date(now).toISOString() };
  const event: FacilitatorKeyIssued = { type: 'FacilitatorKeyIssued', schema: 1, data };
  const row = { id: data.key, tenant, digest: data.digest, issued_at: new Date(now) };
  return { events: [event], attachments: [{ table: 'facilitator_keys', row }] };
}

/** A key that is not there any more is revoked already. */
export function decideRevokeFacilitatorKey(keys: FacilitatorKeys, { key }: RevokeFacilitatorKey): Decision {
  if (!keys.has(key)) return { events: [] };
  const event: FacilitatorKeyRevoked = { type: 'FacilitatorKeyRevoked', schema: 1, data: { key } };
  return { events: [event], removals: [{ table: 'facilitator_keys', key: { id: key } }] };
}
