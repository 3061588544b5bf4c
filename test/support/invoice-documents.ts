import type { InvoiceDocument } from '../../src/domains/invoicing/invoice-document.js';
import type { InvoiceLine } from '../../src/domains/invoicing/invoice-line.js';

const NOVEMBER = { from: '2026-10-31T23:00:00.000Z', to: '2026-11-30T23:00:00.000Z' };

export function requestsLine(change: Partial<InvoiceLine> = {}): InvoiceLine {
  return {
    key: 'r1',
    kind: 'requests',
    period: NOVEMBER,
    description: 'GET /v1/weather',
    route: 'weather',
    tariff: { id: 'weather', version: 3 },
    quantity: '1234',
    unit: 'requests',
    events: 1234,
    exact: '12345670',
    amount: '1235',
    root: '0'.repeat(64),
    ...change,
  };
}

export function usageLine(change: Partial<InvoiceLine> = {}): InvoiceLine {
  return {
    key: 'u1',
    kind: 'usage',
    period: NOVEMBER,
    description: 'Tokens of completions',
    meter: 'tokens',
    quantity: '9876543.25',
    unit: 'tokens',
    events: 4321,
    exact: '98765433/10',
    amount: '988',
    root: '1'.repeat(64),
    ...change,
  };
}

/** An invoice whose sums are those of its lines, with one tax of 21 %. */
export function invoiceDocument(change: Partial<InvoiceDocument> = {}): InvoiceDocument {
  const lines = change.lines ?? [requestsLine(), usageLine()];
  const subtotal = lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const tax = (subtotal * 21n + 50n) / 100n;
  return {
    kind: 'invoice',
    id: `inv_${'a1'.repeat(12)}`,
    number: 'INV-000042',
    tenant: 'demo',
    customer: 'cus_demo',
    seller: {
      name: 'Weather Provider GmbH',
      lines: ['Beispielstraße 1', '10115 Berlin'],
      country: 'DE',
      taxId: 'DE123456789',
      email: 'billing@weather.example',
      payment: ['IBAN DE02 1203 0000 0000 2020 51', 'BIC BYLADEM1001'],
    },
    buyer: {
      name: 'Agent Works S.A.',
      lines: ['1 rue de l’Exemple', '75001 Paris'],
      country: 'FR',
      taxId: 'FR12345678901',
    },
    issuedAt: '2026-12-01T00:00:05.000Z',
    dueAt: '2026-12-31T00:00:05.000Z',
    period: NOVEMBER,
    timeZone: 'Europe/Berlin',
    currency: 'USD',
    minorDigits: 2,
    scale: '10000',
    lines,
    subtotal: String(subtotal),
    residue: '4331/10',
    taxes: [{ name: 'VAT', percent: '21', taxable: String(subtotal), amount: String(tax) }],
    total: String(subtotal + tax),
    paid: '0',
    credited: '0',
    outstanding: String(subtotal + tax),
    state: 'open',
    payUrl: `https://api.weather.example/-/invoices/inv_${'a1'.repeat(12)}`,
    cut: { position: '123456', to: NOVEMBER.to },
    ...change,
  };
}
