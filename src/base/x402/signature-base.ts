import { type InnerList, serializeInnerList } from 'structured-headers';
import { Problem } from '../shared/problem.js';

/** A request as it was received. */
export interface SignedMessage {
  readonly method: string;
  /** The `Host` field. */
  readonly authority: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  /** Flat list of names and values, as received. */
  readonly rawHeaders: readonly string[];
}

const COMPONENTS_MAX = 20;
const COMPONENT = /^@?[a-z0-9-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

export interface SignatureBase {
  /** The covered components by name, in the signer's order. */
  readonly components: readonly string[];
  /** What is signed (RFC 9421 section 2.5); ASCII. */
  readonly base: string;
}

/** @param input the member of `Signature-Input` @throws Problem `malformed_signature` */
export function signatureBase(message: SignedMessage, input: InnerList): SignatureBase {
  const components = input[0].map(nameOf);
  if (components.length > COMPONENTS_MAX) throw malformed(`At most ${COMPONENTS_MAX} components are taken`);
  if (new Set(components).size < components.length) throw malformed('A component is covered twice');
  let base = '';
  for (const name of components) base += `"${name}": ${componentOf(message, name)}\n`;
  return { components, base: `${base}"@signature-params": ${serializeInnerList(input)}` };
}

function nameOf([name, parameters]: InnerList[0][number]): string {
  if (typeof name !== 'string' || parameters.size > 0) throw malformed('A covered component has a parameter');
  if (!COMPONENT.test(name)) throw malformed('A covered component is no lower-case name');
  return name;
}

/** Value of a component (RFC 9421 section 2). Those that need the scheme are not taken: a proxy before us may have changed it. */
function componentOf(message: SignedMessage, name: string): string {
  switch (name) {
    case '@method':
      return message.method;
    case '@authority':
      return message.authority.toLowerCase();
    case '@path':
      return message.path === '' ? '/' : message.path;
    case '@query':
      return message.query === '' ? '?' : message.query;
    default: {
      const value = name.startsWith('@') ? undefined : fieldOf(message, name);
      if (value === undefined) throw malformed(`${name} is covered, but not there or not supported`);
      return value;
    }
  }
}

/**
 * All lines of a field, joined as RFC 9421 section 2.1 joins them (Node has trimmed each); `undefined` if there is none.
 *
 * @param name in lower case
 * @throws Problem `malformed_signature` if it is not ASCII
 */
export function fieldOf({ rawHeaders }: SignedMessage, name: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const other = rawHeaders[at]!;
    if (other.length !== name.length || other.toLowerCase() !== name) continue;
    const line = rawHeaders[at + 1]!;
    value = value === undefined ? line : `${value}, ${line}`;
  }
  if (value !== undefined && !FIELD_VALUE.test(value)) throw malformed(`${name} is not ASCII`);
  return value;
}

export function malformed(detail: string): Problem {
  return new Problem('malformed_signature', detail);
}
