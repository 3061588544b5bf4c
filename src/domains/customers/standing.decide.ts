import type { Expected } from '../../base/event-store/expected.js';
import { EVERYBODY, type Standing } from '../../base/event-store/standings.js';
import type { Attachment, Decision } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import type {
  ListEntry,
  ListMode,
  ListModeChanged,
  ListReason,
  PayerList,
  PayerListed,
  PayerUnlisted,
} from './standing.js';

/** Puts a payer on one of the tenant's lists, and takes it off the other. */
export class ListPayer {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly list: PayerList,
    readonly reason: ListReason,
    readonly expected?: Expected,
  ) {}
}

export class UnlistPayer {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly expected?: Expected,
  ) {}
}

/** Says whom a tenant serves of those who are on no list. */
export class ChangeListMode {
  constructor(
    readonly tenant: string,
    readonly mode: ListMode,
    readonly expected?: Expected,
  ) {}
}

const NOTHING: Decision = { events: [] };

/** The same entry again changes nothing. @param now epoch milliseconds @param version events in the stream so far */
export function decideListPayer(
  state: ListEntry | undefined,
  command: ListPayer,
  now: number,
  version: number,
): Decision {
  const { list, payer, reason, tenant } = command;
  if (state?.list === list && state.reason === reason) return NOTHING;
  const event: PayerListed = { type: 'PayerListed', schema: 1, data: { payer, list, reason } };
  const standing = list === 'allow' ? 'allowed' : 'denied';
  return { events: [event], attachments: [standingRow({ tenant, payer, standing, reason }, now, version)] };
}

export function decideUnlistPayer(state: ListEntry | undefined, { payer, tenant }: UnlistPayer): Decision {
  if (state === undefined) return NOTHING;
  const event: PayerUnlisted = { type: 'PayerUnlisted', schema: 1, data: { payer } };
  return { events: [event], removals: [{ table: 'payer_standings', key: { tenant, payer } }] };
}

export function decideListMode(
  state: ListMode,
  { mode, tenant }: ChangeListMode,
  now: number,
  version: number,
): Decision {
  if (state === mode) return NOTHING;
  const event: ListModeChanged = { type: 'ListModeChanged', schema: 1, data: { mode } };
  const standing = mode === 'open' ? 'allowed' : 'denied';
  return {
    events: [event],
    attachments: [standingRow({ tenant, payer: EVERYBODY, standing, reason: 'list_mode' }, now, version)],
  };
}

function standingRow(
  entry: { readonly tenant: string; readonly payer: string; readonly standing: Standing; readonly reason: string },
  now: number,
  version: number,
): Attachment {
  return { table: 'payer_standings', row: { ...entry, revision: version + 1, since: new Date(now) } };
}
