import { createHash } from 'node:crypto';
import { check, Failed, must } from './check.js';
import { GrowingTree, leafHash } from './merkle.js';
import { openSeal } from './seal.js';

/** What holds between neighbours, in the order in which it is reported. */
const RULES = ['signatures', 'numbers', 'ranges', 'previous', 'history'];

/**
 * Follows the seals of a log from the first on. Each must be signed, be numbered on, begin where the one before ended, and name
 * both the one before and, by a Merkle root (RFC 6962 section 2.1), all before it; so none can be changed, left out or put in.
 */
export class SealChain {
  #tree = new GrowingTree();
  #previous = '';
  #to = 0n;
  #count = 0;
  /** @type {Map<number, string>} what each seal says, by its number */
  #texts = new Map();
  /** @type {Map<string, string>} the first failure of each rule */
  #failures = new Map();

  /** @param {import('./keys.js').Keys} keys */
  constructor(keys) {
    this.keys = keys;
  }

  /** @param {string} jws the next seal */
  add(jws) {
    this.#count++;
    const seal = this.#opened(jws);
    if (!seal) return;
    const { number, from, to, previous, history, text } = seal;
    this.#expect('numbers', number === this.#count, `number ${number} stands at place ${this.#count}`);
    this.#expect(
      'ranges',
      from === this.#to + 1n,
      `seal ${number} begins at ${from}, the one before ends at ${this.#to}`,
    );
    this.#expect('previous', previous === this.#previous, `seal ${number} follows another one`);
    this.#expect(
      'history',
      history === (this.#tree.root()?.toString('base64url') ?? ''),
      `seal ${number} has another history`,
    );
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
        return name === 'ranges' ? `positions 1 to ${this.#to}, without gap or overlap` : `${this.#count} seals`;
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

  /** @param {string} jws */
  #opened(jws) {
    try {
      return openSeal(jws, this.keys);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.#expect('signatures', false, `at place ${this.#count}: ${error.message}`);
      return undefined;
    }
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
