import { createHash } from 'node:crypto';
import { invoiceDocument, requestsLine } from '../../../../test/support/invoice-documents.js';
import { documentHtml, HTML_HEADERS } from './document-html.js';
import { documentPdf, paperOf } from './document-pdf.js';

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const lines = (count: number) => Array.from({ length: count }, (_, at) => requestsLine({ key: `r${at}` }));
const pagesOf = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type \/Page\b/g)!.length;

describe('documentHtml', () => {
  it('lets no text of others become markup', () => {
    const name = `<script>alert("1")</script>&'`;
    const seller = { name, lines: [name], country: 'DE', taxId: name, email: name, payment: [name] };
    const document = invoiceDocument({
      seller,
      buyer: { ...seller },
      lines: [requestsLine({ description: name, unit: name })],
    });
    const html = documentHtml({ ...document, number: name, payUrl: `https://x.example/"onclick="` });
    expect(html).not.toContain('<script');
    expect(html).not.toContain('"onclick');
    expect(html.split('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;').length).toBeGreaterThan(10);
  });

  it('needs nothing else, runs nothing, and allows its one style sheet', () => {
    const html = documentHtml(invoiceDocument());
    expect(html).not.toMatch(/ (src|style|on\w+)=|@import|url\(/);
    const style = /<style>(.*)<\/style>/s.exec(html)![1]!;
    const allowed = createHash('sha256').update(style).digest('base64');
    expect(HTML_HEADERS['content-security-policy']).toContain(`style-src 'sha256-${allowed}'`);
  });

  it('names its columns and rows for those who hear it, once on each printed page', () => {
    const html = documentHtml(invoiceDocument({ lines: lines(3) }));
    expect(html).toContain('<html lang="en">');
    expect(html.match(/<th scope="col">/g)).toHaveLength(3);
    expect(html.match(/<tbody>.*<\/tbody>/s)![0].match(/<th scope="row">/g)).toHaveLength(3);
    expect(html).toContain('thead{display:table-header-group}');
  });
});

describe('documentPdf', () => {
  it('is the same bytes for the same document, on any machine', async () => {
    const first = await documentPdf(invoiceDocument());
    expect(await documentPdf(invoiceDocument())).toEqual(first);
    // Other bytes are other pages for invoices that were sent long ago: look at them before this is changed.
    expect(digest(first)).toBe('468548b77c4cece21f53e85497562afe06066373ff79c91c85fe6cd17539416e');
    expect(digest(await documentPdf(invoiceDocument({ number: 'INV-000043' })))).not.toBe(digest(first));
  });

  it.each([
    [1, 1],
    [40, 3],
    [200, 11],
  ])('of %i lines has %i pages', async (count, pages) => {
    expect(pagesOf(await documentPdf(invoiceDocument({ lines: lines(count) })))).toBe(pages);
  });

  it('carries its fonts, is tagged and says its language', async () => {
    const text = (await documentPdf(invoiceDocument())).toString('latin1');
    expect(text.match(/\/FontFile2 /g)).toHaveLength(2);
    for (const part of ['/MarkInfo', '/StructTreeRoot', '/Lang (en)', '/S /Table', '/S /TH', '/S /H1'])
      expect(text).toContain(part);
  });

  it.each([
    ['DE', 'A4', '[0 0 595.28 841.89]'],
    ['US', 'LETTER', '[0 0 612 792]'],
  ] as const)('is on the paper of the seller: %s', async (country, paper, box) => {
    const document = invoiceDocument({ seller: { ...invoiceDocument().seller, country } });
    expect(paperOf(document)).toBe(paper);
    expect((await documentPdf(document)).toString('latin1')).toContain(`/MediaBox ${box}`);
  });
});
