import { canonicalJson } from './canonical-json.js';
import { check, isObject, must, mustHoldOnly } from './check.js';
import { mustBeIncluded } from './inclusion.js';
import { openJws } from './jws.js';
import { isPosition, openSeals } from './seal.js';
import { Unreadable } from './strict-json.js';

/**
 * @typedef {import('./json.d.ts').Json} Json
 * @typedef {import('./json.d.ts').JsonObject} JsonObject
 * @typedef {import('./check.js').Check} Check
 * @typedef {import('./keys.js').Keys} Keys
 * @typedef {import('./seal.js').Seal} Seal
 * @typedef {import('./report.js').Result} Result
 */

const DOCUMENT = ['receipt', 'signature', 'official', 'proofs', 'seals'];
const OFFICIAL = ['issuedAt', 'network', 'payer', 'resourceUrl', 'transaction', 'version'];
/** In these states the request was delivered and is charged. */
const CHARGED = ['delivered', 'submitted', 'settled'];

/**
 * Checks what `GET /receipts/{id}` answered: every part of it, or it is refused.
 *
 * @param {Json} document
 * @param {Keys} keys
 * @returns {Result}
 * @throws {Unreadable} if it is something else
 */
export function checkReceipt(document, keys) {
  const { receipt, signature, official, proofs = [], seals = {} } = mustBeReceipt(document);
  const opened = openSeals(seals, keys);
  const checks = [
    check('document', () => knownParts(document, receipt)),
    check('signature', () => signedBy(receipt, signature, keys)),
    check('events', () => eventOrder(receipt)),
    ...officialChecks(receipt, official, keys),
    ...opened.checks,
    ...proofChecks(receipt, proofs, opened.seals),
  ];
  return {
    checks,
    summary: summaryOf(receipt, Array.isArray(proofs) ? proofs.length : 0),
    seals: [...opened.seals.values()],
  };
}

/**
 * @param {Json} document
 * @returns {{ receipt: JsonObject, signature?: Json, official?: Json, proofs?: Json, seals?: Json }}
 */
function mustBeReceipt(document) {
  if (!isObject(document)) throw new Unreadable('the receipt file holds no receipt');
  const { receipt } = document;
  if (isObject(receipt) && receipt.type === 'tollbook-receipt') {
    if (receipt.version === 1) return { ...document, receipt };
    throw new Unreadable(`receipts of version ${receipt.version} are newer than this verifier`);
  }
  if ('keys' in document) throw new Unreadable('the receipt file is a key set: give it with --keys');
  if ('proof' in document) throw new Unreadable('the receipt file is the proof of an event: give it with --event');
  if ('accepts' in document) throw new Unreadable('the receipt file is an offer: nothing has been paid with it');
  if ('code' in document) throw new Unreadable(`the receipt file is an error of the server: ${document.code}`);
  throw new Unreadable('the receipt file holds no receipt as GET /receipts/{id} gives it');
}

/**
 * @param {Json} document
 * @param {JsonObject} receipt
 */
function knownParts(document, receipt) {
  mustHoldOnly(/** @type {JsonObject} */ (document), DOCUMENT, 'the file');
  return `a receipt for ${receipt.payment}`;
}

/**
 * @param {JsonObject} receipt
 * @param {Json | undefined} signature
 * @param {Keys} keys
 */
function signedBy(receipt, signature, keys) {
  const { text, kid } = openJws(signature, keys);
  must(canonicalJson(receipt) === text, 'the receipt that can be read is not the one that was signed');
  return `signed by ${kid}`;
}

/**
 * The log numbers the events of a payment without a gap, and a receipt shows all of them.
 *
 * @param {JsonObject} receipt
 */
function eventOrder(receipt) {
  const events = eventsOf(receipt);
  must(events.length > 0, 'the receipt names no events');
  let last = 0n;
  events.forEach(({ position, version }, index) => {
    must(version === index + 1, `version ${index + 1} of the payment's events is missing`);
    must(isPosition(position) && BigInt(position) > last, `event ${version} is not after the one before`);
    last = BigInt(position);
  });
  return `${events.length}, without a gap`;
}

/**
 * @param {JsonObject} receipt
 * @returns {JsonObject[]}
 */
function eventsOf({ events }) {
  return Array.isArray(events) ? events.filter(isObject) : [];
}

/**
 * @param {JsonObject} receipt
 * @param {Json | undefined} official
 * @param {Keys} keys
 * @returns {Check[]}
 */
function officialChecks(receipt, official, keys) {
  const charged = CHARGED.includes(String(receipt.status));
  if (!charged && official === undefined) return [];
  return [
    check('official receipt', () => {
      must(charged, `there is one for a request that is ${receipt.status} and not charged`);
      must(isObject(official) && official.format === 'jws', 'it is missing');
      mustHoldOnly(official, ['format', 'signature'], 'it');
      const { payload } = openJws(official.signature, keys);
      mustHoldOnly(payload, OFFICIAL, 'it');
      const settlement = isObject(receipt.settlement) ? receipt.settlement : {};
      const transaction = receipt.status === 'settled' ? settlement.transaction : '';
      must(payload.version === 1 && payload.network === receipt.network, 'it names another network');
      must(payload.resourceUrl === receipt.resource, 'it names another resource');
      must(payload.payer === receipt.payer, 'it names another payer');
      must(payload.transaction === transaction, 'it names another transaction');
      return transaction === '' ? 'agrees; not settled yet' : `agrees; transaction ${transaction}`;
    }),
  ];
}

/**
 * @param {JsonObject} receipt
 * @param {Json} proofs
 * @param {Map<number, Seal>} seals
 * @returns {Check[]}
 */
function proofChecks(receipt, proofs, seals) {
  if (!Array.isArray(proofs)) return [{ name: 'proofs', ok: false, detail: 'they are no list' }];
  const shown = new Set();
  return proofs.map((proof, index) =>
    check(`proof ${index + 1}`, () => {
      const { header, seal } = mustBeIncluded(proof, (number) => seals.get(number));
      const event = eventsOf(receipt).find(({ position }) => position === header.position);
      must(
        event && !shown.has(event),
        `the receipt names no such event at position ${header.position}, or it is proved twice`,
      );
      shown.add(event);
      must(header.stream === `payment/${receipt.payment}`, 'it is an event of another stream');
      must(header.tenant === receipt.tenant, 'it is an event of another tenant');
      for (const name of ['type', 'version', 'at', 'digest']) {
        must(header[name] === event[name], `its ${name} is not the one in the signed receipt`);
      }
      return `event ${header.position} ${header.type} is in seal ${seal.number}`;
    }),
  );
}

/**
 * @param {JsonObject} receipt
 * @param {number} proved
 */
function summaryOf(receipt, proved) {
  const { payment, status, amount, asset, network, refunds } = receipt;
  const refunded = Array.isArray(refunds)
    ? `, refunded ${refunds
        .filter(isObject)
        .map(({ amount }) => amount)
        .join(' + ')}`
    : '';
  const sealed = `${proved} of ${eventsOf(receipt).length} events proved to be sealed`;
  return `${payment}: ${status}, ${amount} atomic units of ${asset} on ${network}${refunded}; ${sealed}`;
}
