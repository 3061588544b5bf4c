import { invoiceDocument, requestsLine, usageLine } from '../../../../test/support/invoice-documents.js';
import { documentText } from './document-text.js';

describe('documentText', () => {
  it('says who owes whom what, for what, and until when', () => {
    expect(documentText(invoiceDocument())).toEqual({
      title: 'Invoice INV-000042',
      facts: [
        ['Issued', '1 December 2026'],
        ['Due', '31 December 2026'],
        ['Period', 'November 2026 (Europe/Berlin)'],
        ['Account', 'cus_demo'],
        ['Id', `inv_${'a1'.repeat(12)}`],
      ],
      parties: [
        {
          role: 'From',
          name: 'Weather Provider GmbH',
          lines: ['Beispielstraße 1', '10115 Berlin', 'DE', 'Tax ID DE123456789', 'billing@weather.example'],
        },
        {
          role: 'To',
          name: 'Agent Works S.A.',
          lines: ['1 rue de l’Exemple', '75001 Paris', 'FR', 'Tax ID FR12345678901'],
        },
      ],
      columns: ['Description', 'Quantity', 'Amount (USD)'],
      rows: [
        {
          description: 'GET /v1/weather',
          detail: 'tariff weather, version 3',
          quantity: '1,234 requests',
          amount: '12.35',
        },
        {
          description: 'Tokens of completions',
          detail: 'meter tokens · 4,321 events',
          quantity: '9,876,543.25 tokens',
          amount: '9.88',
        },
      ],
      sums: [
        { label: 'Subtotal', amount: '22.23', strong: false },
        { label: 'VAT 21% on 22.23', amount: '4.67', strong: false },
        { label: 'Total USD', amount: '26.90', strong: true },
        { label: 'To pay USD', amount: '26.90', strong: true },
      ],
      notes: [
        {
          heading: 'Pay by transfer',
          text: 'IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001\nReference: INV-000042',
        },
        {
          heading: 'Pay in stablecoin (x402)',
          text: 'Any x402 client pays it by one request, whose price is what is still to be paid:',
          link: `https://api.weather.example/-/invoices/inv_${'a1'.repeat(12)}`,
        },
        {
          heading: 'Rounding',
          text: 'Amounts are rounded once, so that the lines sum to the subtotal. Rounding moved it by +0.0004331 USD.',
        },
      ],
    });
  });

  it('names the period of a line that is not of the invoice', () => {
    const late = usageLine({
      period: { from: '2026-09-30T22:00:00.000Z', to: '2026-10-31T23:00:00.000Z' },
      amount: '-7',
      events: 1,
    });
    const [row] = documentText(invoiceDocument({ lines: [late, requestsLine()] })).rows;
    expect(row).toMatchObject({ detail: 'October 2026 · meter tokens · 1 event', amount: '\u22120.07' });
  });

  it('of a draft asks for no money and says that it is none', () => {
    const text = documentText(invoiceDocument({ kind: 'draft', number: undefined, state: 'draft', residue: '0' }));
    expect([text.title, text.mark]).toEqual(['Draft invoice', 'Draft']);
    expect(text.sums.at(-1)).toMatchObject({ label: 'Total USD' });
    expect(text.notes.map(({ heading }) => heading)).toEqual(['Draft']);
  });

  it('of a credit note names the invoice, and is nothing to pay', () => {
    const text = documentText(
      invoiceDocument({ kind: 'credit_note', number: 'CN-000007', of: 'INV-000042', residue: '0' }),
    );
    expect(text.title).toBe('Credit note CN-000007');
    expect(text.facts[0]).toEqual(['For invoice', 'INV-000042']);
    expect(text.sums.at(-1)).toMatchObject({ label: 'Total USD' });
    expect(text.notes).toEqual([]);
  });

  it.each([
    ['paid', 'Paid'],
    ['void', 'Void'],
    ['open', undefined],
    ['partially_paid', undefined],
  ] as const)('marks what is %s', (state, mark) => {
    expect(documentText(invoiceDocument({ state })).mark).toBe(mark);
  });

  it('shows what was paid and credited, and no way to pay when nothing is left', () => {
    const text = documentText(
      invoiceDocument({ paid: '2000', credited: '690', outstanding: '0', state: 'paid', residue: '0' }),
    );
    expect(text.sums.slice(-3).map(({ amount, label }) => `${label} ${amount}`)).toEqual([
      'Paid \u221220.00',
      'Credited \u22126.90',
      'To pay USD 0.00',
    ]);
    expect(text.notes).toEqual([]);
  });

  it.each([
    [{ currency: 'JPY', minorDigits: 0, scale: '1000000', residue: '-3' }, '1,235', '\u22120.000003 JPY'],
    [{ currency: 'KWD', minorDigits: 3, scale: '1000', residue: '3' }, '1.235', '+0.000003 KWD'],
    [{ currency: 'USD', minorDigits: 2, scale: '10000', residue: '-10/3' }, '12.35', 'about \u22120.000003333333 USD'],
  ])('has the digits of its currency: %o', (currency, amount, residue) => {
    const text = documentText(invoiceDocument({ ...currency, lines: [requestsLine()] }));
    expect(text.rows[0]!.amount).toBe(amount);
    expect(text.notes.at(-1)!.text).toContain(`moved it by ${residue}.`);
  });

  it('of a credit note says what it credits, why, and where what was paid is', () => {
    const { events: _e, exact: _x, quantity: _q, root: _r, unit: _u, ...line } = requestsLine({ amount: '100' });
    const document = invoiceDocument({
      ...{ kind: 'credit_note', number: 'CN-000007', of: 'INV-000042', state: 'issued', reason: 'quality' },
      ...{ lines: [line as never], residue: '0', returned: '21', outstanding: '0', dueAt: undefined },
    });
    const { facts, mark, notes, rows, sums, title } = documentText(document);
    expect([title, mark, facts[0], facts[1]]).toEqual([
      ...['Credit note CN-000007', undefined, ['For invoice', 'INV-000042'], ['Reason', 'Not as agreed']],
    ]);
    expect(rows).toEqual([
      { description: 'GET /v1/weather', detail: 'tariff weather, version 3', quantity: '', amount: '1.00' },
    ]);
    expect(sums.at(-1)).toEqual({ label: 'Total USD', amount: '1.21', strong: true });
    expect(notes).toEqual([
      { heading: 'Paid already', text: '0.21 USD of it was paid, and is in your prepaid balance now.' },
    ]);
  });
});
