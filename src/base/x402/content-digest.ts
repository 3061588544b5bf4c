import { hash } from 'node:crypto';
import { isInnerList, parseDictionary } from 'structured-headers';
import { Problem } from '../shared/problem.js';
import { malformed } from './signature-base.js';

/** RFC 9530 section 5: the algorithms of its registry that are not broken. */
const ALGORITHMS = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const;
const FIELD_MAX = 512;

/**
 * Checks `Content-Digest` (RFC 9530) over the body as it was received. Each digest by an algorithm that we know must hold, and there must be one;
 * others are ignored.
 *
 * @throws Problem `malformed_signature`, `content_digest_mismatch`
 */
export function checkContentDigest(field: string, body: Buffer): void {
  let known = 0;
  for (const [name, member] of digestsIn(field)) {
    if (!Object.hasOwn(ALGORITHMS, name)) continue;
    const digest = isInnerList(member) ? undefined : member[0];
    if (!(digest instanceof ArrayBuffer)) throw unreadable();
    const actual = hash(ALGORITHMS[name as keyof typeof ALGORITHMS], body, 'buffer');
    if (!actual.equals(Buffer.from(digest))) throw new Problem('content_digest_mismatch');
    known++;
  }
  if (known === 0) throw malformed('Content-Digest: send sha-256 or sha-512');
}

function digestsIn(field: string): ReturnType<typeof parseDictionary> {
  if (field.length > FIELD_MAX) throw unreadable();
  try {
    return parseDictionary(field);
  } catch {
    throw unreadable();
  }
}

function unreadable(): Problem {
  return malformed('Content-Digest: expected a dictionary of byte sequences (RFC 9530)');
}
