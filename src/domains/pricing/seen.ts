import { hash } from 'node:crypto';

/** Load and usage go on, and headers are in no request digest. */
const OUTSIDE = /^(?:load|used|request_[a-z]+:header:)/;
/** 132 bits: both of two requests would have to be made up to share a digest. */
const DIGEST_LENGTH = 22;

/**
 * Digest of what a price looked at outside of what the request digest and the expiry of a quote cover; `undefined` if
 * that is nothing. The same rules read the same inputs in the same order.
 */
export function seenBy(inputs: Readonly<Record<string, string>>): string | undefined {
  let text = '';
  for (const name in inputs) if (OUTSIDE.test(name)) text += JSON.stringify([name, inputs[name]]);
  return text === '' ? undefined : hash('sha256', text, 'base64url').slice(0, DIGEST_LENGTH);
}
