import { checkEventProof } from './event-proof.js';
import { readJsonFile, sealLines } from './files.js';
import { keysFrom } from './keys.js';
import { fetchBytes, keysUrl } from './online.js';
import { checkReceipt } from './receipt.js';
import { SealChain } from './seal-chain.js';
import { readJson } from './strict-json.js';

/**
 * Everything that the command line asks for.
 *
 * @param {import('./options.js').Options} options
 * @returns {Promise<import('./report.js').Report>}
 * @throws {import('./strict-json.js').Unreadable}
 */
export async function verify(options) {
  const keys = await readKeys(options);
  /** @type {import('./report.js').Report} */
  const report = { checks: [], summaries: [] };
  /** @type {import('./seal.js').Seal[]} */
  const seals = [];
  const add = (/** @type {import('./report.js').Result} */ result) => {
    report.checks.push(...result.checks);
    report.summaries.push(result.summary);
    seals.push(...result.seals);
  };
  if (options.receipt !== undefined) add(checkReceipt(await readReceipt(options.receipt, options.online), keys));
  if (options.event !== undefined) add(checkEventProof(await readJsonFile(options.event, 'the event file'), keys));
  if (options.seals !== undefined) {
    const chain = new SealChain(keys);
    for await (const jws of sealLines(options.seals)) chain.add(jws);
    report.checks.push(...chain.checks(), ...seals.map((seal) => chain.agreesWith(seal)));
    report.summaries.push(chain.summary());
  }
  return report;
}

/** @param {import('./options.js').Options} options */
async function readKeys({ keys, pins, receipt = '' }) {
  if (keys !== undefined) return keysFrom(await readJsonFile(keys, 'the key file'), pins);
  const url = keysUrl(receipt);
  return keysFrom(readJson(await fetchBytes(url), url), pins);
}

/**
 * @param {string} place
 * @param {boolean} online
 */
async function readReceipt(place, online) {
  return online ? readJson(await fetchBytes(place), place) : readJsonFile(place, 'the receipt file');
}
