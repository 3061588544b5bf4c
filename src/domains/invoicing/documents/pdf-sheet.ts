import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';

const require = createRequire(import.meta.url);
const FONTS = '@expo-google-fonts/noto-sans';
const REGULAR = require.resolve(`${FONTS}/400Regular/NotoSans_400Regular.ttf`);
const BOLD = require.resolve(`${FONTS}/700Bold/NotoSans_700Bold.ttf`);

export type Paper = 'A4' | 'LETTER';

export const INK = '#171b21';
export const DIM = '#545d6b';
const LINE = '#d5d9e0';

export const MARGIN = 50;
/** Kept free at the end of each page for its number. */
const FOOT = 30;

export interface TextStyle {
  readonly size: number;
  readonly bold?: boolean;
  readonly color?: string;
  readonly align?: 'left' | 'right';
}

/** Paper with a pen on it. Nothing in the file tells when or where it was made, so that the same strokes are the same bytes. */
export class PdfSheet {
  readonly document: PDFKit.PDFDocument;
  /** Where the next thing goes, points from the top. */
  y = MARGIN;
  private readonly chunks: Buffer[] = [];

  /** @param at what the file gives as its time */
  constructor(paper: Paper, title: string, author: string, at: Date) {
    this.document = new PDFDocument({
      size: paper,
      margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
      bufferPages: true,
      pdfVersion: '1.7',
      tagged: true,
      lang: 'en',
      displayTitle: true,
      info: { Title: title, Author: author, Creator: 'Tollbook', Producer: 'Tollbook', CreationDate: at, ModDate: at },
    });
    this.document.registerFont('regular', REGULAR).registerFont('bold', BOLD);
    this.document.on('data', (chunk: Buffer) => this.chunks.push(chunk));
  }

  get width(): number {
    return this.document.page.width - 2 * MARGIN;
  }

  /** Whether so much still fits above the page's foot. */
  fits(height: number): boolean {
    return this.y + height <= this.document.page.height - MARGIN - FOOT;
  }

  newPage(): void {
    this.document.addPage();
    this.y = MARGIN;
  }

  height(text: string, width: number, style: TextStyle): number {
    if (text === '') return 0;
    return this.pen(style).heightOfString(text, { width, lineGap: 1 });
  }

  /** Writes at a place; the cursor stays. @returns the height taken */
  write(text: string, x: number, y: number, width: number, style: TextStyle): number {
    if (text === '') return 0;
    const height = this.height(text, width, style);
    this.pen(style).text(text, x, y, { width, align: style.align ?? 'left', lineGap: 1 });
    return height;
  }

  /** A line over the whole width, which readers who hear the page are not told of. */
  rule(weight: number, color = LINE): void {
    const { document, y } = this;
    document.markContent('Artifact', { type: 'Layout' });
    document.moveTo(MARGIN, y).lineTo(MARGIN + this.width, y);
    document.lineWidth(weight).strokeColor(color).stroke();
    document.endMarkedContent();
  }

  /** Writes each page's number, and gives the bytes. */
  async end(foot: string): Promise<Buffer> {
    const { count } = this.document.bufferedPageRange();
    for (let page = 0; page < count; page++) {
      this.document.switchToPage(page);
      this.document.markContent('Artifact', { type: 'Pagination' });
      const y = this.document.page.height - MARGIN + 5;
      const line = { width: this.width - 110, height: 8, ellipsis: true };
      this.pen({ size: 8, color: DIM }).text(foot, MARGIN, y, line);
      const number = `Page ${page + 1} of ${count}`;
      this.write(number, MARGIN + this.width - 100, y, 100, { size: 8, color: DIM, align: 'right' });
      this.document.endMarkedContent();
    }
    const ended = new Promise((resolve) => this.document.on('end', resolve));
    this.document.end();
    await ended;
    return Buffer.concat(this.chunks);
  }

  private pen({ bold, color, size }: TextStyle): PDFKit.PDFDocument {
    return this.document
      .font(bold ? 'bold' : 'regular')
      .fontSize(size)
      .fillColor(color ?? INK);
  }
}
