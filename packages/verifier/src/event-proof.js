import { check, isObject, must, mustHoldOnly } from './check.js';
import { dataDigest, mustBeHeader, mustBeIncluded } from './inclusion.js';
import { openSeals } from './seal.js';
import { restorationIn } from './seal-chain.js';
import { Unreadable } from './strict-json.js';

const DOCUMENT = ['data', 'proof', 'seals'];

/**
 * Checks what `GET /admin/v1/events/{position}/proof` answered: the event is in the log and, if its data are shown, these are they.
 *
 * @param {import('./json.d.ts').Json} document
 * @param {import('./keys.js').Keys} keys
 * @returns {import('./report.js').Result}
 * @throws {Unreadable} if it is something else
 */
export function checkEventProof(document, keys) {
  if (!isObject(document) || !isObject(document.proof))
    throw new Unreadable('the event file holds no proof of an event');
  const { data, proof, seals = {} } = document;
  const opened = openSeals(seals, keys);
  const checks = [
    check('document', () => {
      mustHoldOnly(document, DOCUMENT, 'the file');
      return 'the proof of an event';
    }),
    ...opened.checks,
    check('inclusion', () => {
      const { header, seal } = mustBeIncluded(proof, (number) => opened.seals.get(number));
      return `event ${header.position} ${header.type} is in seal ${seal.number}`;
    }),
    ...(data === undefined ? [] : [check('data', () => digestAgrees(proof, data))]),
  ];
  const header = isObject(proof.header) ? proof.header : {};
  const restoration = checks.every(({ ok }) => ok) ? restorationIn(header.type, data) : undefined;
  return { checks, summary: summaryOf(header), seals: [...opened.seals.values()], restoration };
}

/**
 * @param {import('./json.d.ts').JsonObject} proof
 * @param {import('./json.d.ts').Json} data
 */
function digestAgrees(proof, data) {
  must(mustBeHeader(proof.header).digest === dataDigest(data), 'they are not the data whose digest was sealed');
  return 'their digest was sealed';
}

/** @param {import('./json.d.ts').JsonObject} header */
function summaryOf({ position, stream, version, type, at }) {
  return `event ${position}: ${type}, number ${version} of ${stream}, at ${at}`;
}
