import { checkConsistency } from './consistency.js';
import { checkEventProof } from './event-proof.js';
import { linesOf, readJsonFile } from './files.js';
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
  const results = [];
  if (options.receipt !== undefined) {
    results.push(checkReceipt(await readReceipt(options.receipt, options.online), keys));
  }
  if (options.event !== undefined) {
    results.push(checkEventProof(await readJsonFile(options.event, 'the event file'), keys));
  }
  if (options.consistency !== undefined) {
    results.push(checkConsistency(await readJsonFile(options.consistency, 'the consistency file'), keys));
  }
  if (options.seals !== undefined) results.push(await checkSeals(options.seals, keys, results));
  return {
    checks: results.flatMap(({ checks }) => checks),
    summaries: [...results.map(({ summary }) => summary), ...trustNote(options)],
  };
}

/**
 * @param {string} path
 * @param {import('./keys.js').Keys} keys
 * @param {readonly import('./report.js').Result[]} others what was checked beside them
 * @returns {Promise<import('./report.js').Result>}
 */
async function checkSeals(path, keys, others) {
  const chain = new SealChain(
    keys,
    others.flatMap(({ restoration }) => restoration ?? []),
  );
  for await (const line of linesOf(path)) chain.add(line);
  const shown = others.flatMap(({ seals }) => seals).map((seal) => chain.agreesWith(seal));
  return { checks: [...chain.checks(), ...shown], summary: chain.summary(), seals: [] };
}

/**
 * A server that shows its own keys proves that it agrees with itself, no more.
 *
 * @param {import('./options.js').Options} options
 */
function trustNote({ keys, pins, receipt = '' }) {
  if (keys !== undefined || pins.length > 0) return [];
  return [`the keys are those that ${new URL(receipt).origin} shows today: trust one that you know with --key`];
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
