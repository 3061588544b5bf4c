/** Why something does not hold, in words. */
export class Failed extends Error {}

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {boolean} ok
 * @property {string} detail what was found, or why it does not hold
 */

/**
 * @param {string} name
 * @param {() => string} run returns the detail; throws `Failed`
 * @returns {Check}
 */
export function check(name, run) {
  try {
    return { name, ok: true, detail: run() };
  } catch (error) {
    if (error instanceof Failed) return { name, ok: false, detail: error.message };
    throw error;
  }
}

/**
 * @param {unknown} condition
 * @param {string} otherwise
 * @returns {asserts condition}
 * @throws {Failed}
 */
export function must(condition, otherwise) {
  if (!condition) throw new Failed(otherwise);
}

/**
 * @param {unknown} value
 * @returns {value is import('./json.d.ts').JsonObject}
 */
export function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/**
 * A document in which something stands that nobody checks could say anything.
 *
 * @param {object} value
 * @param {readonly string[]} names
 * @param {string} what
 * @throws {Failed}
 */
export function mustHoldOnly(value, names, what) {
  const other = Object.keys(value).find((name) => !names.includes(name));
  must(other === undefined, `${what} holds a member "${other}", which cannot be checked`);
}
