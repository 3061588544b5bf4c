import { createHash } from 'node:crypto';
import { digestFrom } from './base64url.js';
import { canonicalJson } from './canonical-json.js';
import { isObject, must, mustHoldOnly } from './check.js';
import { leafHash, rootOfPath } from './merkle.js';
import { isPosition } from './seal.js';

const HEADER = ['at', 'digest', 'kind', 'position', 'schema', 'stream', 'tenant', 'type', 'version'];
const PROOF = ['header', 'leafIndex', 'path', 'seal', 'treeSize'];

/** @typedef {import('./json.d.ts').JsonObject} JsonObject */

/**
 * The public part of an event, whose hash is a leaf; exactly these members, so that nothing unchecked rides along.
 *
 * @param {unknown} header
 * @returns {JsonObject & { position: string }}
 * @throws {import('./check.js').Failed}
 */
export function mustBeHeader(header) {
  must(isObject(header) && HEADER.every((name) => name in header), 'the proof holds no complete event header');
  mustHoldOnly(header, HEADER, 'the event header');
  must(header.kind === 'tollbook-event-1', 'the event header is of an unknown kind');
  must(isPosition(header.position), 'the event header names no position');
  must(digestFrom(header.digest), 'the event header holds no digest');
  return /** @type {JsonObject & { position: string }} */ (header);
}

/**
 * The audit path leads from the event's header to the root in the signed seal (RFC 6962 section 2.1.1).
 *
 * @param {unknown} proof
 * @param {(number: number) => import('./seal.js').Seal | undefined} sealOf
 * @returns {{ header: JsonObject & { position: string }, seal: import('./seal.js').Seal }}
 * @throws {import('./check.js').Failed}
 */
export function mustBeIncluded(proof, sealOf) {
  must(isObject(proof), 'the proof is no object');
  mustHoldOnly(proof, PROOF, 'the proof');
  const header = mustBeHeader(proof.header);
  const seal = typeof proof.seal === 'number' ? sealOf(proof.seal) : undefined;
  must(seal, 'there is no valid seal with the number that the proof names');
  const { leafIndex, treeSize } = proof;
  // The place follows from the signed range, so that a leaf cannot be shown at another one.
  const position = BigInt(header.position);
  must(treeSize === Number(seal.to - seal.from + 1n), `seal ${seal.number} covers another number of events`);
  must(leafIndex === Number(position - seal.from), `position ${position} lies elsewhere in seal ${seal.number}`);
  const path = Array.isArray(proof.path) ? proof.path.map(digestFrom) : [undefined];
  must(
    path.every((hash) => hash !== undefined),
    'the audit path is no list of digests',
  );
  const leaf = leafHash(canonicalJson(header));
  const root = rootOfPath(leaf, Number(leafIndex), Number(treeSize), /** @type {Buffer[]} */ (path));
  must(root?.equals(seal.root), `the audit path does not lead to the root of seal ${seal.number}`);
  return { header, seal };
}

/**
 * @param {import('./json.d.ts').Json} data of an event
 * @returns {string} base64url
 */
export function dataDigest(data) {
  return createHash('sha256').update(canonicalJson(data)).digest('base64url');
}
