import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { POOL, PRISMA } from '../../base/platform/tokens.js';
import { billingAccounts } from '../../domains/invoicing/billing-account.js';
import type { InvoiceDocument } from '../../domains/invoicing/invoice-document.js';
import { lineItems } from '../../domains/invoicing/used.queries.js';
import { type EvidenceView, evidenceOf } from '../../domains/payments/commitments.queries.js';
import { InvoiceReader } from './invoice-reader.js';

/** Commitments of one bundle; an invoice may have millions. */
const COMMITMENTS_MAX = 100;
/** What a processor takes of text. */
const TEXT_MAX = 20_000;

type SignedCommitment = EvidenceView & { readonly id: string };

export interface EvidenceBundle {
  readonly invoice: InvoiceDocument;
  /** The first ones on the invoice, 100 at most. */
  readonly commitments: readonly SignedCommitment[];
  /** All that are on the invoice. */
  readonly commitments_total: number;
}

/** What a seller has to show for an invoice: anybody with the customer's key can check what was signed. */
@Injectable()
export class DisputeEvidenceReader {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(InvoiceReader) private readonly reader: InvoiceReader,
  ) {}

  /** @throws Problem `unknown_invoice` */
  async bundle(id: string): Promise<EvidenceBundle> {
    const [invoice, found] = [await this.reader.document(id), (await this.reader.find(id)).invoice];
    const { drafted, finalized } = found;
    const lines = (finalized?.lines ?? []).filter(({ kind }) => kind === 'requests');
    const accounts = await billingAccounts(this.store, drafted.tenant, [drafted.customer]);
    const commitments: SignedCommitment[] = [];
    for (const line of lines) {
      const of = { account: accounts.get(drafted.customer)!, after: finalized!.after, to: finalized!.cut.to };
      const limit = COMMITMENTS_MAX - commitments.length;
      if (limit === 0) break;
      const items = await lineItems(this.pool, of, finalized!.cut.position, line, { after: 0n, limit });
      for (const item of items.slice(0, limit)) {
        const evidence = await evidenceOf(this.prisma, item.id);
        if (evidence) commitments.push({ id: item.id, ...evidence });
      }
    }
    return { invoice, commitments, commitments_total: lines.reduce((sum, { events }) => sum + events, 0) };
  }
}

/** Pure: what is submitted, with as many commitments as fit. */
export function evidenceText(statement: string, { commitments, commitments_total, invoice }: EvidenceBundle): string {
  const head = [
    statement,
    '',
    `Invoice ${invoice.number ?? invoice.id} (attached), ${invoice.total} minor units of ${invoice.currency}.`,
    `The customer's key signed each of ${commitments_total} requests (HTTP Message Signatures, RFC 9421, Ed25519).`,
  ].join('\n');
  return commitments.reduce((text, { id, signature, signature_base }) => {
    const longer = `${text}\n\n${id}\n${signature_base}\nsignature: ${signature}`;
    return longer.length > TEXT_MAX ? text : longer;
  }, head);
}

/** Base64url SHA-256. */
export function evidenceDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
