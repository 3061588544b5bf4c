import { type KeyObject, verify } from 'node:crypto';
import { type InnerList, isInnerList, type Parameters, parseDictionary, serializeDictionary } from 'structured-headers';
import { fieldOf, malformed, type SignatureBase, type SignedMessage, signatureBase } from './signature-base.js';

/** What a signature says of itself, and what has to hold under its key. Times are epoch seconds. */
export interface RequestSignature extends SignatureBase {
  readonly keyId: string;
  /** Chosen by the signer: it signs no two requests with the same one. */
  readonly nonce: string;
  readonly created: number;
  readonly expires: number;
  /** 64 bytes. */
  readonly signature: Buffer;
}

/** Each far above what our own client sends; characters. */
const INPUT_MAX = 2_048;
const SIGNATURE_MAX = 1_024;
const SIGNATURE_BYTES = 64;
const KEY_ID = /^[\x21-\x7e]{1,128}$/;
const NONCE = /^[\x21-\x7e]{16,128}$/;

/**
 * Reads the one signature with this tag from a request (RFC 9421), strictly: the fields as RFC 9651 serializes them, no component twice, none
 * with a parameter, `created`, `expires`, `nonce` and `keyid` present, no algorithm but `ed25519`. Nothing is verified here.
 *
 * @throws Problem `malformed_signature`
 */
export function readSignature(message: SignedMessage, tag: string): RequestSignature {
  const inputs = fieldOf(message, 'signature-input');
  const signatures = fieldOf(message, 'signature');
  if (inputs === undefined || signatures === undefined) throw malformed('Send Signature-Input and Signature');
  const [label, input] = inputWith(tag, inputs);
  const parameters = input[1];
  const algorithm = parameters.get('alg');
  if (algorithm !== undefined && algorithm !== 'ed25519') throw malformed('alg: expected ed25519');
  return {
    ...signatureBase(message, input),
    keyId: textIn(parameters, 'keyid', KEY_ID, '1 to 128 printable characters'),
    nonce: textIn(parameters, 'nonce', NONCE, '16 to 128 printable characters'),
    created: secondsIn(parameters, 'created'),
    expires: secondsIn(parameters, 'expires'),
    signature: signatureOf(label, signatures),
  };
}

/** Ed25519 (RFC 8032) over the base. */
export function isSignedWith(
  key: KeyObject,
  { base, signature }: Pick<RequestSignature, 'base' | 'signature'>,
): boolean {
  return verify(null, Buffer.from(base, 'latin1'), key, signature);
}

function inputWith(tag: string, field: string): [label: string, input: InnerList] {
  if (field.length > INPUT_MAX) throw malformed(`Signature-Input: at most ${INPUT_MAX} characters`);
  const dictionary = dictionaryIn(field, 'Signature-Input');
  // Whatever else a parser may make of it, such as of a name that stands there twice, it is not what was written.
  if (serializeDictionary(dictionary) !== field) throw malformed('Signature-Input: not as RFC 9651 serializes it');
  let found: [string, InnerList] | undefined;
  for (const [label, member] of dictionary) {
    if (!isInnerList(member) || member[1].get('tag') !== tag) continue;
    if (found) throw malformed(`Two signatures have the tag ${tag}`);
    found = [label, member];
  }
  if (!found) throw malformed(`No signature has the tag ${tag}`);
  return found;
}

function signatureOf(label: string, field: string): Buffer {
  if (field.length > SIGNATURE_MAX) throw malformed(`Signature: at most ${SIGNATURE_MAX} characters`);
  const member = dictionaryIn(field, 'Signature').get(label);
  const bytes = member === undefined || isInnerList(member) ? undefined : member[0];
  if (!(bytes instanceof ArrayBuffer) || bytes.byteLength !== SIGNATURE_BYTES) {
    throw malformed(`Signature: ${label} is not ${SIGNATURE_BYTES} bytes`);
  }
  return Buffer.from(bytes);
}

function dictionaryIn(field: string, name: string): ReturnType<typeof parseDictionary> {
  try {
    return parseDictionary(field);
  } catch {
    throw malformed(`${name}: not a dictionary (RFC 9651)`);
  }
}

function textIn(parameters: Parameters, name: string, pattern: RegExp, expected: string): string {
  const value = parameters.get(name);
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(`${name}: expected ${expected}`);
  return value;
}

function secondsIn(parameters: Parameters, name: string): number {
  const value = parameters.get(name);
  if (!Number.isSafeInteger(value)) throw malformed(`${name}: expected epoch seconds`);
  return value as number;
}
