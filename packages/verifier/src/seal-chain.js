import { createHash } from 'node:crypto';
import { check, Failed, isObject, must, mustHoldOnly } from './check.js';
import { GrowingTree, leafHash } from './merkle.js';
import { isPosition, openSeal } from './seal.js';
import { readJson, Unreadable } from './strict-json.js';

/** What holds between neighbours, in the order in which it is reported. */
const RULES = ['signatures', 'numbers', 'ranges', 'previous', 'history'];

/**
 * A backup was restored: the seal after number `after` begins at `from` again. Documented by an event, which the log seals.
 *
 * @typedef {{ after: number, from: bigint }} Restoration
 */

/**
 * Follows the seals of a log from the first on. Each must be signed, be numbered on, begin where the one before ended, and name
 * both the one before and, by a Merkle root (RFC 6962 section 2.1), all before it; so none can be changed, left out or put in.
 */
export class SealChain {
  #tree = new GrowingTree();
  #previous = '';
  #to = 0n;
  #count = 0;
  #steppedBack = 0;
  /** @type {Map<number, string>} what each seal says, by its number */
  #texts = new Map();
  /** @type {Map<string, string>} the first failure of each rule */
  #failures = new Map();

  /**
   * @param {import('./keys.js').Keys} keys
   * @param {readonly Restoration[]} restorations those that are proved
   */
  constructor(keys, restorations) {
    this.keys = keys;
    this.restorations = restorations;
  }

  /** @param {string} line the next one of the file: `{"number":1,"jws":"…"}` */
  add(line) {
    this.#count++;
    const seal = this.#opened(line);
    if (!seal) return;
    const { number, from, to, previous, history, text } = seal;
    this.#expect('numbers', number === this.#count, `number ${number} stands at place ${this.#count}`);
    this.#expect('ranges', this.#begins(seal), `seal ${number} begins at ${from}, the one before ends at ${this.#to}`);
    this.#expect('previous', previous === this.#previous, `seal ${number} follows another one`);
    this.#expect('history', history === this.#history(), `seal ${number} has another history`);
    this.#texts.set(number, text);
    this.#previous = createHash('sha256').update(text).digest('base64url');
    this.#to = to;
    this.#tree.add(leafHash(text));
  }

  /** @returns {import('./check.js').Check[]} */
  checks() {
    return RULES.map((name) =>
      check(name, () => {
        must(this.#count > 0, 'there are no seals');
        const failure = this.#failures.get(name);
        must(failure === undefined, failure ?? '');
        return name === 'ranges' ? this.#covered() : `${this.#count} seals`;
      }),
    );
  }

  summary() {
    return `${this.#count} seals in one chain, over the events at positions 1 to ${this.#to}`;
  }

  /**
   * A seal shown elsewhere must be the one in the file: an issuer that signs two for one number tells two stories.
   *
   * @param {import('./seal.js').Seal} seal
   * @returns {import('./check.js').Check}
   */
  agreesWith({ number, text }) {
    return check(`seal ${number} in the file`, () => {
      const known = this.#texts.get(number);
      must(known !== undefined, 'it is not there');
      must(known === text, 'there it is another one');
      return 'the same';
    });
  }

  /** @param {string} line */
  #opened(line) {
    try {
      return sealOnLine(line, this.keys);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.#expect('signatures', false, `at place ${this.#count}: ${error.message}`);
      return undefined;
    }
  }

  /** @param {import('./seal.js').Seal} seal */
  #begins({ number, from }) {
    if (from === this.#to + 1n) return true;
    const known = this.restorations.some((one) => one.after === number - 1 && one.from === from && from <= this.#to);
    if (known) this.#steppedBack++;
    return known;
  }

  #covered() {
    const covered = `positions 1 to ${this.#to}, without gap or overlap`;
    return this.#steppedBack === 0 ? covered : `${covered} but for ${this.#steppedBack} restored backups`;
  }

  #history() {
    return this.#tree.root()?.toString('base64url') ?? '';
  }

  /**
   * @param {string} rule
   * @param {boolean} holds
   * @param {string} failure
   */
  #expect(rule, holds, failure) {
    if (!holds && !this.#failures.has(rule)) this.#failures.set(rule, failure);
  }
}

/**
 * @param {string} line
 * @param {import('./keys.js').Keys} keys
 */
function sealOnLine(line, keys) {
  const { number, jws, ...others } = objectOn(line);
  mustHoldOnly(others, [], 'the line');
  const seal = openSeal(jws, keys);
  must(seal.number === number, `the line says ${number} and the seal ${seal.number}`);
  return seal;
}

/** @param {string} line */
function objectOn(line) {
  try {
    const value = readJson(Buffer.from(line), 'the line');
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
  throw new Failed('the line holds no seal');
}

/**
 * The restoration that an event documents.
 *
 * @param {import('./json.d.ts').Json | undefined} type of the event
 * @param {import('./json.d.ts').Json | undefined} data
 * @returns {Restoration | undefined} undefined if it is another event
 */
export function restorationIn(type, data) {
  if (type !== 'LogRestored' || !isObject(data) || !isObject(data.seals) || !isPosition(data.lostFrom))
    return undefined;
  return { after: Number(data.seals.to), from: BigInt(data.lostFrom) };
}
