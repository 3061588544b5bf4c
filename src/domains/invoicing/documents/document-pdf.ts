import type { InvoiceDocument } from '../invoice-document.js';
import { type DocumentText, documentText, type NoteText, type PartyText, type RowText } from './document-text.js';
import { DIM, INK, MARGIN, type Paper, PdfSheet, type TextStyle } from './pdf-sheet.js';

/** Where letters are written on US Letter (CLDR); everybody else's paper is A4. */
const LETTER = new Set(['BZ', 'CA', 'CL', 'CO', 'CR', 'GT', 'MX', 'NI', 'PA', 'PH', 'PR', 'SV', 'US', 'VE']);

const BODY: TextStyle = { size: 9.5 };
const SMALL: TextStyle = { size: 8, color: DIM };
const HEAD: TextStyle = { size: 8.5, bold: true };
const GAP = 14;
const LEADING = 4;

type Structure = PDFKit.PDFStructureElement;

/**
 * The document as a tagged PDF with its fonts in it: the same document on the same paper is the same bytes.
 *
 * @param paper the seller's, if none is asked for
 */
export function documentPdf(document: InvoiceDocument, paper: Paper = paperOf(document)): Promise<Buffer> {
  const text = documentText(document);
  const at = new Date(document.issuedAt ?? document.period.to);
  const sheet = new PdfSheet(paper, text.title, document.seller.name, at);
  const root = sheet.document.struct('Document');
  sheet.document.addStructure(root);
  writeHead(sheet, root, text);
  writeParties(sheet, root, text.parties);
  writeFacts(sheet, root, text.facts);
  new LineTable(sheet, root, text).write();
  for (const note of text.notes) writeNote(sheet, root, note);
  root.end();
  return sheet.end(`${document.seller.name} · ${text.title}`);
}

export function paperOf({ seller }: Pick<InvoiceDocument, 'seller'>): Paper {
  return LETTER.has(seller.country) ? 'LETTER' : 'A4';
}

/** Adds an element under its parent; what writes it runs at once. */
function element(sheet: PdfSheet, parent: Structure, tag: string, write?: () => void, options = {}): Structure {
  const structure = sheet.document.struct(tag, options);
  parent.add(structure);
  if (write) structure.add(write);
  return structure;
}

function writeHead(sheet: PdfSheet, root: Structure, { mark, title }: DocumentText): void {
  const markWidth = mark === undefined ? 0 : 90;
  const width = sheet.width - markWidth - GAP;
  const { y } = sheet;
  element(sheet, root, 'H1', () => {
    sheet.y += sheet.write(title, MARGIN, y, width, { size: 20, bold: true }) + GAP;
  });
  if (mark === undefined) return;
  const x = MARGIN + sheet.width - markWidth;
  sheet.document.markContent('Artifact', { type: 'Layout' });
  sheet.document
    .roundedRect(x, y + 2, markWidth, 22, 4)
    .lineWidth(1.5)
    .strokeColor(INK)
    .stroke();
  sheet.document.endMarkedContent();
  const style = { size: 11, bold: true } as const;
  const word = mark.toUpperCase();
  const inset = (markWidth - sheet.document.font('bold').fontSize(style.size).widthOfString(word)) / 2;
  element(sheet, root, 'P', () => sheet.write(word, x + inset, y + 5, markWidth, style));
}

function writeParties(sheet: PdfSheet, root: Structure, parties: readonly PartyText[]): void {
  const width = (sheet.width - GAP * 2) / parties.length;
  const top = sheet.y;
  let bottom = top;
  parties.forEach(({ lines, name, role }, index) => {
    const x = MARGIN + index * (width + GAP * 2);
    element(sheet, root, 'P', () => {
      let y = top + sheet.write(role, x, top, width, SMALL) + 1;
      y += sheet.write(name, x, y, width, { ...BODY, bold: true });
      for (const line of lines) y += sheet.write(line, x, y, width, BODY);
      bottom = Math.max(bottom, y);
    });
  });
  sheet.y = bottom + GAP;
}

function writeFacts(sheet: PdfSheet, root: Structure, facts: DocumentText['facts']): void {
  const labelWidth = 80;
  for (const [label, value] of facts) {
    element(sheet, root, 'P', () => {
      sheet.write(label, MARGIN, sheet.y + 1, labelWidth, SMALL);
      sheet.y += sheet.write(value, MARGIN + labelWidth, sheet.y, sheet.width - labelWidth, BODY) + 1;
    });
  }
  sheet.y += GAP;
}

function writeNote(sheet: PdfSheet, root: Structure, { heading, link, text }: NoteText): void {
  const { width } = sheet;
  const needed =
    sheet.height(heading, width, HEAD) + sheet.height(text, width, BODY) + sheet.height(link ?? '', width, BODY);
  sheet.y += GAP;
  if (!sheet.fits(needed)) sheet.newPage();
  element(sheet, root, 'H2', () => {
    sheet.y += sheet.write(heading, MARGIN, sheet.y, width, HEAD) + 1;
  });
  element(sheet, root, 'P', () => {
    sheet.y += sheet.write(text, MARGIN, sheet.y, width, BODY);
    if (link !== undefined) sheet.y += sheet.write(link, MARGIN, sheet.y, width, BODY);
  });
}

interface Cell {
  readonly text: string;
  readonly x: number;
  readonly width: number;
  readonly style: TextStyle;
  /** Under the text. */
  readonly detail?: string;
}

/** The lines with the columns' names on each page, no row cut in two, and the sums, which stay together. */
class LineTable {
  private readonly table: Structure;
  private readonly columns: readonly { readonly x: number; readonly width: number }[];

  constructor(
    private readonly sheet: PdfSheet,
    root: Structure,
    private readonly text: DocumentText,
  ) {
    this.table = element(sheet, root, 'Table');
    const amount = 105;
    const quantity = 165;
    const description = sheet.width - amount - quantity - 2 * GAP;
    this.columns = [
      { x: MARGIN, width: description },
      { x: MARGIN + description + GAP, width: quantity },
      { x: MARGIN + description + quantity + 2 * GAP, width: amount },
    ];
  }

  write(): void {
    this.head();
    for (const row of this.text.rows) this.row(row);
    this.sums();
  }

  private head(): void {
    this.line(this.cells(this.text.columns, HEAD), 'TH', { scope: 'Column' });
    this.sheet.rule(1.2, INK);
    this.sheet.y += LEADING;
  }

  private row({ amount, description, detail, quantity }: RowText): void {
    const [first, ...others] = this.cells([description, quantity, amount], BODY);
    const cells = [{ ...first!, detail }, ...others];
    this.makeRoom(this.heightOf(cells) + 2 * LEADING);
    this.line(cells, 'TD');
    this.sheet.rule(0.5);
    this.sheet.y += LEADING;
  }

  private sums(): void {
    const label = { x: MARGIN, width: this.columns[2]!.x - MARGIN - GAP };
    const lines = this.text.sums.map(({ amount, label: name, strong }) => {
      const style: TextStyle = { size: strong ? 11 : BODY.size, bold: strong, align: 'right' };
      return [
        { text: name, ...label, style },
        { text: amount, ...this.columns[2]!, style },
      ];
    });
    const height = lines.reduce((sum, cells) => sum + this.heightOf(cells) + LEADING, 0);
    if (!this.sheet.fits(height)) this.sheet.newPage();
    for (const cells of lines) this.line(cells, 'TD');
  }

  private cells(texts: readonly string[], style: TextStyle): Cell[] {
    return texts.map((text, index) => {
      const align = index === 0 ? 'left' : 'right';
      return { text, ...this.columns[index]!, style: { ...style, align } };
    });
  }

  private heightOf(cells: readonly Cell[]): number {
    const heights = cells.map(({ detail = '', style, text, width }) => {
      return this.sheet.height(text, width, style) + this.sheet.height(detail, width, SMALL);
    });
    return Math.max(...heights);
  }

  private makeRoom(height: number): void {
    if (this.sheet.fits(height)) return;
    this.sheet.newPage();
    this.head();
  }

  private line(cells: readonly Cell[], tag: 'TH' | 'TD', options = {}): void {
    const { sheet } = this;
    const { y } = sheet;
    const height = this.heightOf(cells);
    const row = element(sheet, this.table, 'TR');
    for (const { detail = '', style, text, width, x } of cells) {
      const write = () => {
        const taken = sheet.write(text, x, y, width, style);
        sheet.write(detail, x, y + taken, width, SMALL);
      };
      element(sheet, row, tag, write, options);
    }
    sheet.y = y + height + LEADING;
  }
}
