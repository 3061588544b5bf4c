import { compactVerify, importJWK } from 'jose';
import { canonicalJson } from '../../src/base/shared/json.js';
import { signedDocument } from '../../src/domains/invoicing/documents/document-json.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { invoiceDocument } from '../support/invoice-documents.js';

describe('signedDocument', () => {
  const signer = new ReceiptSigner('https://api.weather.example', [`0x${'01'.repeat(32)}`]);

  it('is verified by the published keys, and tells that it is an invoice', async () => {
    const document = signedDocument(invoiceDocument());
    const { payload } = await compactVerify(signer.sign(document), await importJWK(signer.jwks().keys[0]!));
    expect(Buffer.from(payload).toString()).toBe(canonicalJson(document));
    expect(document).toMatchObject({ type: 'tollbook-invoice', version: 1, number: 'INV-000042', total: '2690' });
  });

  it('is the same bytes whatever the order of members, and without those that are absent', () => {
    const { number, ...rest } = invoiceDocument({ dueAt: undefined });
    expect(signer.sign(signedDocument({ ...rest, number }))).toBe(
      signer.sign(signedDocument(invoiceDocument({ dueAt: undefined }))),
    );
    expect(signedDocument(invoiceDocument({ dueAt: undefined }))).not.toHaveProperty('dueAt');
  });
});
