import { Controller, Get, Inject, Param, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../base/shared/problem.js';
import { documentHtml, HTML_HEADERS } from '../../domains/invoicing/documents/document-html.js';
import { signedDocument } from '../../domains/invoicing/documents/document-json.js';
import { documentPdf } from '../../domains/invoicing/documents/document-pdf.js';
import type { InvoiceDocument } from '../../domains/invoicing/invoice-document.js';
import { ReceiptSigner } from '../../domains/receipts/receipt-signer.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { InvoiceReader } from './invoice-reader.js';

/** What is sent to the customer: a page, a PDF, or JSON signed by the receipt key. */
abstract class Documents {
  constructor(
    @Inject(InvoiceReader) protected readonly reader: InvoiceReader,
    @Inject(ReceiptSigner) private readonly signer: ReceiptSigner,
  ) {}

  protected abstract document(id: string): Promise<InvoiceDocument>;

  @Get('html')
  async html(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const page = documentHtml(await this.document(id));
    reply.headers(HTML_HEADERS).send(page);
  }

  @Get('pdf')
  async pdf(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const document = await this.document(id);
    const name = `inline; filename="${nameOf(document)}.pdf"`;
    reply.headers({ 'content-type': 'application/pdf', 'content-disposition': name }).send(await documentPdf(document));
  }

  /** Compact JWS (RFC 7515) of what is final; whoever has `/.well-known/jwks.json` can check it. */
  @Get('jws')
  async jws(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const document = await this.document(id);
    if (document.kind === 'draft') throw new Problem('invoice_not_final');
    reply.headers({ 'content-type': 'application/jose' }).send(this.signer.sign(signedDocument(document)));
  }
}

@Controller('admin/v1/invoices/:id/documents')
@UseGuards(AdminKeyGuard)
export class InvoiceDocumentsController extends Documents {
  protected document(id: string): Promise<InvoiceDocument> {
    return this.reader.document(id);
  }
}

@Controller('admin/v1/credit-notes/:id/documents')
@UseGuards(AdminKeyGuard)
export class CreditNoteDocumentsController extends Documents {
  protected document(id: string): Promise<InvoiceDocument> {
    return this.reader.creditNote(id);
  }
}

/** Prefixes of numbers are letters, digits and few signs, so it can stand in a header. */
function nameOf({ id, number }: InvoiceDocument): string {
  return (number ?? id).replace(/[^A-Za-z0-9._-]/g, '-');
}
