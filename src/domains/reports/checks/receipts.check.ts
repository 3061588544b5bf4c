import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { StoredEvent, Upcast } from '../../../base/event-store/event.js';
import type { Projection } from '../../../base/event-store/projection-runner.js';
import { ofSameStream } from '../../../base/event-store/stream-key.js';
import { canonicalJson, type JsonObject } from '../../../base/shared/json.js';
import { type PaymentId, paymentOfStream } from '../../payments/payment.js';
import { type Receipt, receiptOf } from '../../receipts/receipt.js';
import type { ReceiptSigner } from '../../receipts/receipt-signer.js';
import type { Check, CheckContext, Progress } from './check.js';
import { checkpointOf } from './checkpoint.js';
import { Findings } from './findings.js';
import { readPayments } from './read-events.js';
import { inSnapshot, type Snapshot } from './snapshot.js';

/** On the thread pool, so that all processors verify while this one folds and signs. */
const verifyAside = promisify(verify) as (
  algorithm: null,
  data: Buffer,
  key: KeyObject,
  signature: Buffer,
) => Promise<boolean>;

interface PaymentRow {
  readonly id: PaymentId;
  readonly tenant: string;
  readonly state: string;
  readonly payer: string;
  readonly payee: string;
  readonly amount: string;
  readonly transaction: string | null;
}

/**
 * Every payment has a receipt that follows from its events, is signed by a published key, and says the same as the row
 * that lists show. Events that the rows have not seen yet are left out.
 */
export function receiptsCheck(payments: Pick<Projection, 'name' | 'version'>, signer: ReceiptSigner): Check {
  return {
    name: 'receipts',
    run: ({ listed, pool, upcast }: CheckContext, onProgress: Progress) =>
      inSnapshot(pool, ['projection_checkpoints', 'payments'], async (snapshot) => {
        const findings = new Findings(listed);
        const checkpoint = await checkpointOf(snapshot, payments, findings);
        if (checkpoint === undefined) return findings.result({});
        const counts = { receipts: 0, settled: 0, 'events not listed yet': Number(snapshot.head - checkpoint) };
        const [total] = await snapshot.query<{ rows: string }>('select count(*) as rows from payments');
        const keys = keysOf(signer);
        for await (const streams of readPayments(snapshot, checkpoint)) {
          const rows = await rowsOf(snapshot, streams);
          const statuses = await Promise.all(
            streams.map((events) => {
              const id = paymentOfStream(events[0]!.stream);
              return checkOne(id, events, rows.get(id), { findings, keys, signer, upcast });
            }),
          );
          counts.settled += statuses.filter((status) => status === 'settled').length;
          counts.receipts += streams.length;
          onProgress(Math.min(counts.receipts, Number(total!.rows)), Number(total!.rows));
        }
        await checkStrayRows(snapshot, findings);
        return findings.result(counts);
      }),
  };
}

interface Judge {
  readonly findings: Findings;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly signer: ReceiptSigner;
  readonly upcast: Upcast;
}

/** Resolves to the status that the receipt says. */
async function checkOne(
  id: PaymentId,
  events: readonly StoredEvent[],
  row: PaymentRow | undefined,
  { findings, keys, signer, upcast }: Judge,
): Promise<unknown> {
  let receipt: Receipt | undefined;
  try {
    receipt = receiptOf(id, events, signer, upcast);
  } catch (error) {
    findings.differ('no receipt', id, 'events that follow from each other', (error as Error).message);
  }
  if (receipt === undefined) return undefined;
  if (!(await signs(receipt.signature, receipt.receipt, keys)))
    findings.differ('signature', id, 'a published key', 'does not verify');
  await checkOfficial(id, receipt, keys, findings);
  if (row === undefined) findings.differ('missing payment', `payments ${id}`, receipt.receipt.status, 'no row');
  else compare(row, receipt.receipt, findings);
  return receipt.receipt.status;
}

/** The official receipt is there for what is charged, and names the transaction of what is settled. */
async function checkOfficial(
  id: PaymentId,
  { official, receipt }: Receipt,
  keys: Judge['keys'],
  findings: Findings,
): Promise<void> {
  if (receipt.status === 'settled' && official === undefined) findings.differ('official receipt', id, 'one', 'none');
  if (official === undefined) return;
  const payload = payloadOf(official.signature);
  if (!(await signs(official.signature, payload, keys))) {
    findings.differ('official signature', id, 'a published key', 'does not verify');
  }
  const transaction = transactionOf(receipt) ?? '';
  if (payload.transaction !== transaction) {
    findings.differ('official transaction', id, transaction, payload.transaction);
  }
}

function compare(row: PaymentRow, receipt: JsonObject, findings: Findings): void {
  const { amount, payee, payer, status, tenant } = receipt;
  const expected = { state: status, tenant, payer, payee, amount, transaction: transactionOf(receipt) };
  for (const name of ['state', 'tenant', 'payer', 'payee', 'amount', 'transaction'] as const) {
    // While nothing is settled the row may name the transaction that was sent last.
    if (name === 'transaction' && status !== 'settled') continue;
    if (row[name] !== expected[name])
      findings.differ(`payment ${name}`, `payments ${row.id}`, expected[name], row[name]);
  }
}

function transactionOf({ settlement }: JsonObject): string | undefined {
  return (settlement as { readonly transaction: string } | undefined)?.transaction;
}

async function rowsOf(snapshot: Snapshot, streams: readonly StoredEvent[][]): Promise<Map<string, PaymentRow>> {
  const rows = await snapshot.query<PaymentRow>(
    'select id, tenant, state, payer, payee, amount::text, transaction from payments where id = any($1::text[])',
    [streams.map((events) => paymentOfStream(events[0]!.stream))],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function checkStrayRows(snapshot: Snapshot, findings: Findings): Promise<void> {
  const pages = snapshot.pages<{ id: string; state: string }>(
    `select id, state from payments p
     where not exists (select 1 from events a where ${ofSameStream("('payment/' || p.id)")} and a.version = 1) order by id`,
  );
  for await (const rows of pages) {
    for (const { id, state } of rows) findings.differ('payment without events', `payments ${id}`, 'no row', state);
  }
}

/** Public keys by the `kid` that signatures name. */
function keysOf(signer: ReceiptSigner): ReadonlyMap<string, KeyObject> {
  return new Map(signer.jwks().keys.map((jwk) => [jwk.kid, createPublicKey({ key: { ...jwk }, format: 'jwk' })]));
}

/** RFC 7515: a compact JWS by one of the keys over the canonical JSON of this very payload. */
async function signs(jws: string, payload: JsonObject, keys: Judge['keys']): Promise<boolean> {
  const [header = '', body = '', signature = ''] = jws.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const key = keys.get(kid);
  if (key === undefined || Buffer.from(body, 'base64url').toString() !== canonicalJson(payload)) return false;
  return verifyAside(null, Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url'));
}

function payloadOf(jws: string): JsonObject {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as JsonObject;
}
