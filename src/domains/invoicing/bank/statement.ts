import { CsvError, parse } from 'csv-parse/sync';
import { Problem } from '../../../base/shared/problem.js';
import { minorDigitsOf } from '../billing-account.js';
import { type BankLine, bankLineIdOf, tidyText } from './bank-line.js';
import { type DateForm, type DecimalMark, readAmount, readDate } from './statement-text.js';

export const LINES_MAX = 10_000;
/** Characters of one line. */
const RECORD_MAX = 20_000;
const TEXT_MAX = 2_000;

/** How a bank writes its file, and whose it is. */
export interface StatementLayout {
  readonly tenant: string;
  readonly account: string;
  /** ISO 4217, of lines that do not say theirs. */
  readonly currency: string;
  readonly columns: {
    readonly date: string;
    readonly amount: string;
    /** Joined by blanks. */
    readonly text: readonly string[];
    readonly currency?: string;
  };
  /** Absent: that of `;`, tab and `,` which the line with the columns' names has most of. */
  readonly delimiter?: ',' | ';' | '\t';
  readonly decimal: DecimalMark;
  readonly dates: DateForm;
  /** Lines before the columns' names. */
  readonly skip: number;
}

export type Fault = 'columns' | 'date' | 'amount' | 'currency' | 'text';

/** A line, or what is wrong with it. `row` counts from 1 behind the columns' names. */
export type StatementLine =
  | { readonly row: number; readonly line: BankLine }
  | { readonly row: number; readonly fault: Fault };

/** Pure. @throws Problem `invalid_request` if it is no such file as a whole */
export function readStatement(bytes: Uint8Array, layout: StatementLayout): StatementLine[] {
  const records = recordsOf(textOf(bytes), layout);
  const [names, ...rows] = records;
  if (!names) throw new Problem('invalid_request', 'The file has no line with the names of its columns');
  if (rows.length > LINES_MAX) throw new Problem('invalid_request', `A file has ${LINES_MAX} lines at most`);
  const read = reader(names.map(tidyText), layout);
  const seen = new Map<string, number>();
  return rows.map((cells, index) => {
    const row = index + 1;
    const found = cells.length === names.length ? read(cells) : 'columns';
    if (typeof found === 'string') return { row, fault: found };
    const same = bankLineIdOf(found, 0);
    const occurrence = (seen.get(same) ?? 0) + 1;
    seen.set(same, occurrence);
    return { row, line: { id: bankLineIdOf(found, occurrence), ...found } };
  });
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem('invalid_request', 'The file is not UTF-8; export it as that');
  }
}

function recordsOf(text: string, { delimiter, skip }: StatementLayout): string[][] {
  try {
    return parse(text, {
      delimiter: delimiter ?? delimiterOf(text.split('\n', skip + 1)[skip] ?? ''),
      from_line: skip + 1,
      to: LINES_MAX + 2,
      max_record_size: RECORD_MAX,
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Problem('invalid_request', `The file is no CSV: ${error.message}`);
  }
}

function delimiterOf(names: string): string {
  const count = (mark: string) => names.split(mark).length;
  return [';', '\t', ','].reduce((most, mark) => (count(mark) > count(most) ? mark : most));
}

function reader(names: readonly string[], layout: StatementLayout) {
  const { account, columns, currency: usual, dates, decimal, tenant } = layout;
  const place = (name: string): number => {
    const [at, ...more] = names.flatMap((one, index) => (one === tidyText(name) ? [index] : []));
    if (at === undefined) throw new Problem('invalid_request', noColumn(name, names));
    if (more.length > 0) throw new Problem('invalid_request', `The file has several columns ${name}`);
    return at;
  };
  const [dateAt, amountAt] = [place(columns.date), place(columns.amount)];
  const textAt = columns.text.map(place);
  const currencyAt = columns.currency === undefined ? undefined : place(columns.currency);
  return (cells: readonly string[]): Omit<BankLine, 'id'> | Fault => {
    const currency = currencyAt === undefined ? usual : cells[currencyAt]!.trim().toUpperCase();
    if (!/^[A-Z]{3}$/.test(currency)) return 'currency';
    const date = readDate(cells[dateAt]!, dates);
    if (date === undefined) return 'date';
    const amount = readAmount(cells[amountAt]!, decimal, minorDigitsOf(currency));
    if (amount === undefined || amount === 0n) return 'amount';
    const text = tidyText(textAt.map((at) => cells[at]).join(' '));
    if (text.length > TEXT_MAX || text.includes('\0')) return 'text';
    return { tenant, account, date, amount, currency, text };
  };
}

/** What a caller needs to name it right: the columns that there are. */
function noColumn(name: string, names: readonly string[]): string {
  const there = names.map((one) => JSON.stringify(one)).join(', ');
  const known = there.length > 500 ? `${there.slice(0, 500)}…` : there;
  return `The file has no column "${name}", but ${known}; name them with date_column, amount_column, text_column and currency_column`;
}
