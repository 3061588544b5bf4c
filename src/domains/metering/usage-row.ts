import { leafHash, merkleRoot } from '../../base/event-store/seals/merkle.js';
import { canonicalJson } from '../../base/shared/json.js';
import type { Metered } from './metered.js';

/** One usage event as it is stored: all that its digest covers. */
export interface UsageRow {
  readonly source: string;
  readonly id: string;
  readonly customer: string;
  /** UTC, microseconds. */
  readonly at: string;
  /** UTC, milliseconds. */
  readonly receivedAt: string;
  readonly replaces: string | undefined;
  readonly metered: Metered;
  /** Canonical JSON of what was sent. */
  readonly event: string;
}

/** SHA-256(0x00 ‖ JSON list): RFC 6962's leaf. */
export function leafOf({ at, customer, event, id, metered, receivedAt, replaces, source }: UsageRow): Buffer {
  return leafHash(
    JSON.stringify([source, id, customer, at, receivedAt, replaces ?? null, canonicalJson(metered), event]),
  );
}

/** base64url of the root of the tree over the rows of one batch, in order of their lines. */
export function rootOf(rows: readonly UsageRow[]): string {
  return rootOfLeaves(rows.map(leafOf));
}

/** The same, of the leaves. */
export function rootOfLeaves(leaves: readonly Buffer[]): string {
  return merkleRoot(Buffer.concat(leaves)).toString('base64url');
}
