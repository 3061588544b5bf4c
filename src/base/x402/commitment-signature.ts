import { COMMITMENT_TAG } from './commitment-offer.js';
import { checkContentDigest } from './content-digest.js';
import type { Reason } from './errors.js';
import { type RequestSignature, readSignature } from './request-signature.js';
import { fieldOf, malformed, type SignedMessage } from './signature-base.js';

/** How long a signature is taken, whatever it says itself, and by how much clocks may differ, in seconds. */
const FRESH_SECONDS = 30;
const CLOCKS_DIFFER_SECONDS = 10;
/** Without one of these a captured signature would be good for another request. */
const REQUIRED = ['@method', '@authority', '@path', '@query', 'payment-signature'];
const DIGEST = 'content-digest';

/**
 * Reads the signature of a commitment: it covers all that makes the request what it is, and the body is the one that was signed.
 * It is verified by `isSignedWith`, and its time judged by `staleness`.
 *
 * @throws Problem `malformed_signature`, `content_digest_mismatch`
 */
export function readCommitmentSignature(message: SignedMessage, body: Buffer): RequestSignature {
  const signature = readSignature(message, COMMITMENT_TAG);
  const { components } = signature;
  for (const name of REQUIRED) if (!components.includes(name)) throw malformed(`${name} is not covered`);
  const digest = fieldOf(message, DIGEST);
  if (body.length > 0 || digest !== undefined) {
    if (digest === undefined || !components.includes(DIGEST)) throw malformed(`${DIGEST} is not covered`);
    checkContentDigest(digest, body);
  }
  return signature;
}

/** The shorter of what the signature says and of half a minute counts. `undefined` if it is fresh. @param now epoch milliseconds */
export function staleness(
  { created, expires }: Pick<RequestSignature, 'created' | 'expires'>,
  now: number,
): Extract<Reason, 'commitment_expired' | 'commitment_not_yet_valid'> | undefined {
  if (created * 1000 > now + CLOCKS_DIFFER_SECONDS * 1000) return 'commitment_not_yet_valid';
  if (Math.min(expires, created + FRESH_SECONDS) * 1000 < now) return 'commitment_expired';
  return undefined;
}
