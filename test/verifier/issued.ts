import type { StoredEvent } from '../../src/base/event-store/event.js';
import { dataDigest, type EventHeader } from '../../src/base/event-store/seals/leaf.js';
import { auditPath, leafHash, merkleRoot } from '../../src/base/event-store/seals/merkle.js';
import type { InclusionProof } from '../../src/base/event-store/seals/proof.js';
import { nextSeal, readSeal, type Seal } from '../../src/base/event-store/seals/seal.js';
import { canonicalJson, type JsonObject } from '../../src/base/shared/json.js';
import { paymentOfStream } from '../../src/domains/payments/payment.js';
import type { ProvedReceipt } from '../../src/domains/receipts/proved-receipt.js';
import { receiptOf } from '../../src/domains/receipts/receipt.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { paymentEvents } from '../support/payment-events.js';

export const signer = new ReceiptSigner('http://localhost:4020', [`0x${'01'.repeat(32)}`]);

/** A log of payments under seals, as Tollbook keeps it, without a database. */
export interface IssuedLog {
  readonly events: readonly StoredEvent[];
  readonly seals: readonly Seal[];
  /** What `GET /receipts/{id}` answers for a payment of this log. */
  readonly receipts: readonly ProvedReceipt[];
  proofOf(event: StoredEvent): InclusionProof | undefined;
}

/**
 * @param sizes of the seals, in events; what lies behind the last one is not sealed
 * @param signerOf seal number `n`
 */
export function issueLog(
  payments: number,
  sizes: readonly number[],
  signerOf = (_number: number) => signer,
): IssuedLog {
  const events = eventsOf(payments);
  const leaves = events.map((event) => leafHash(canonicalJson(headerOf(event) as unknown as JsonObject)));
  const seals = sealsOver(leaves, sizes, signerOf);
  const proofOf = (event: StoredEvent): InclusionProof | undefined => {
    const seal = seals.find(({ from, to }) => from <= event.position && event.position <= to);
    if (seal === undefined) return undefined;
    const covered = leaves.slice(Number(seal.from) - 1, Number(seal.to));
    const leafIndex = Number(event.position - seal.from);
    const path = auditPath(Buffer.concat(covered), leafIndex).map((hash) => hash.toString('base64url'));
    return { header: headerOf(event), leafIndex, treeSize: covered.length, path, seal: seal.payload.number };
  };
  const receipts = [...new Set(events.map(({ stream }) => stream))].map((stream) => {
    const own = events.filter((event) => event.stream === stream);
    const proofs = own.flatMap((event) => proofOf(event) ?? []);
    const shown = proofs.map(({ seal }) => [seal, seals[seal - 1]!.jws] as const);
    const receipt = receiptOf(paymentOfStream(stream), own, signer)!;
    return { ...receipt, proofs, seals: Object.fromEntries(shown) };
  });
  return { events, seals, receipts, proofOf };
}

/** The events of many payments, one of each in turn, so that every payment lies under several seals. */
function eventsOf(payments: number): StoredEvent[] {
  const lives = Array.from({ length: payments }, (_, n) => paymentEvents(n));
  const longest = Math.max(...lives.map(({ events }) => events.length));
  const inTurn = Array.from({ length: longest }, (_, index) =>
    lives.flatMap(({ stream, events }) => (events[index] ? [{ stream, version: index + 1, ...events[index] }] : [])),
  ).flat();
  return inTurn.map((event, index) => ({
    ...event,
    data: event.data as unknown as JsonObject,
    position: BigInt(index + 1),
    tenant: 'demo',
    occurredAt: new Date(1_790_000_000_000 + index),
  }));
}

export function headerOf({
  position,
  stream,
  version,
  type,
  schema,
  tenant,
  data,
  occurredAt,
}: StoredEvent): EventHeader {
  const at = occurredAt.toISOString();
  const digest = dataDigest(data);
  return { at, digest, kind: 'tollbook-event-1', position: String(position), schema, stream, tenant, type, version };
}

function sealsOver(
  leaves: readonly Buffer[],
  sizes: readonly number[],
  signerOf: (number: number) => ReceiptSigner,
): Seal[] {
  const seals: Seal[] = [];
  for (const size of sizes) {
    const before = Number(seals.at(-1)?.to ?? 0n);
    const root = merkleRoot(Buffer.concat(leaves.slice(before, before + size)));
    const range = { from: BigInt(before + 1), to: BigInt(before + size), root };
    const history = seals.length === 0 ? undefined : merkleRoot(Buffer.concat(seals.map(({ leaf }) => leaf)));
    const payload = nextSeal(seals.at(-1), history, range, new Date(1_790_000_100_000));
    seals.push(readSeal(signerOf(payload.number).sign(payload as unknown as JsonObject))!);
  }
  return seals;
}
