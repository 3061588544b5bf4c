import { digestFrom } from './base64url.js';
import { check, isObject, must, mustHoldOnly } from './check.js';
import { isBeginning, leafHash, rootOfPath } from './merkle.js';
import { openSeal } from './seal.js';
import { Unreadable } from './strict-json.js';

const DOCUMENT = ['consistency', 'first', 'inclusion', 'second'];

/** @typedef {import('./seal.js').Seal} Seal */

/**
 * Checks what `GET /admin/v1/seals/consistency` answered: one seal, and all before it, are in the history that a later one signs.
 *
 * @param {import('./json.d.ts').Json} document
 * @param {import('./keys.js').Keys} keys
 * @returns {import('./report.js').Result}
 * @throws {Unreadable} if it is something else
 */
export function checkConsistency(document, keys) {
  if (!isObject(document) || !('first' in document)) throw new Unreadable('the file holds no proof between two seals');
  /** @type {Map<string, Seal>} */
  const seals = new Map();
  const both = () => /** @type {[Seal, Seal]} */ ([opened(seals, 'first'), opened(seals, 'second')]);
  const checks = [
    check('document', () => {
      mustHoldOnly(document, DOCUMENT, 'the file');
      return 'a proof between two seals';
    }),
    ...['first', 'second'].map((name) =>
      check(`${name} seal`, () => {
        const seal = openSeal(document[name], keys);
        seals.set(name, seal);
        return `seal ${seal.number}, positions ${seal.from} to ${seal.to}, signed by ${seal.kid}`;
      }),
    ),
    check('inclusion', () => mustBeInHistory(...both(), digestsIn(document.inclusion))),
    check('consistency', () => mustGoOn(...both(), digestsIn(document.consistency))),
  ];
  const numbers = [...seals.values()].map(({ number }) => number).join(' and ');
  return { checks, summary: `seals ${numbers} are of one history`, seals: [...seals.values()] };
}

/**
 * @param {Map<string, Seal>} seals
 * @param {string} name
 */
function opened(seals, name) {
  const seal = seals.get(name);
  must(seal, `the ${name} seal does not hold`);
  return seal;
}

/**
 * @param {Seal} first
 * @param {Seal} second
 * @param {Buffer[]} path
 */
function mustBeInHistory(first, second, path) {
  must(first.number < second.number, `seal ${second.number} is not later than seal ${first.number}`);
  const root = rootOfPath(leafHash(first.text), first.number - 1, second.number - 1, path);
  must(root?.equals(historyOf(second)), `seal ${first.number} is not in the history of seal ${second.number}`);
  return `seal ${first.number} is in the history of seal ${second.number}`;
}

/**
 * @param {Seal} first
 * @param {Seal} second
 * @param {Buffer[]} proof
 */
function mustGoOn(first, second, proof) {
  if (first.number === 1) {
    must(first.history === '' && proof.length === 0, 'nothing can be before the first seal');
    return 'nothing was before the first seal';
  }
  const [older, newer] = [first, second].map((seal) => ({ size: seal.number - 1, root: historyOf(seal) }));
  must(older && newer && isBeginning(older, newer, proof), `what was before seal ${first.number} was changed`);
  return `the ${first.number - 1} seals before seal ${first.number} are the same`;
}

/**
 * @param {Seal} seal
 * @returns {Buffer}
 */
function historyOf({ history, number }) {
  const root = digestFrom(history);
  must(root, `seal ${number} names no history`);
  return root;
}

/**
 * @param {unknown} list
 * @returns {Buffer[]}
 */
function digestsIn(list) {
  const digests = Array.isArray(list) ? list.map(digestFrom) : [undefined];
  must(
    digests.every((one) => one !== undefined),
    'the path is no list of digests',
  );
  return /** @type {Buffer[]} */ (digests);
}
