import type { JsonObject } from '../../../base/shared/json.js';
import type { InvoiceDocument } from '../invoice-document.js';

/**
 * What is signed: the document with its kind of statement and version, so that no other thing signed by the same key can be
 * taken for an invoice. Its canonical JSON is the payload of the signature, byte for byte.
 */
export function signedDocument(document: InvoiceDocument): JsonObject {
  const type = document.kind === 'credit_note' ? 'tollbook-credit-note' : 'tollbook-invoice';
  return { type, version: 1, ...withoutAbsent(document) };
}

/** Members that are there and undefined have no place in JSON. */
function withoutAbsent(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
