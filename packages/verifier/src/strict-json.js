/** A file that is not what it should be; its message is for the person at the terminal. */
export class Unreadable extends Error {}

/** Far more than any of our documents has, and little enough for the stack. */
const DEPTH_MAX = 64;
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * Reads JSON in UTF-8 in which no object names a member twice: other programs would show the one value and we check the other.
 *
 * @param {Uint8Array} bytes
 * @param {string} what how to call it in an error
 * @returns {import('./json.d.ts').Json}
 * @throws {Unreadable}
 */
export function readJson(bytes, what) {
  const text = decodeUtf8(bytes, what);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable(`${what} is not JSON${/^\s*</.test(text) ? ' but looks like a web page' : ''}`);
  }
  const problem = problemOf(text);
  if (problem !== undefined) throw new Unreadable(`${what} ${problem}`);
  return value;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} what
 * @throws {Unreadable}
 */
export function decodeUtf8(bytes, what) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Unreadable(`${what} is not text in UTF-8`);
  }
}

/**
 * @param {string} text valid JSON
 * @returns {string | undefined}
 */
function problemOf(text) {
  /** @type {(Set<string> | undefined)[]} names seen in each open object; undefined for a list */
  const open = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const names = open.at(-1);
      const name = JSON.parse(last);
      if (names?.has(name)) return `names the member ${name} twice`;
      names?.add(name);
    }
    if (open.length > DEPTH_MAX) return 'is nested too deeply';
    last = token;
  }
  return undefined;
}
