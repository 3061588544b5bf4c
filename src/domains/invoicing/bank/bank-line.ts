import { createHash } from 'node:crypto';

/** `bl_` and 24 hex digits. */
export type BankLineId = `bl_${string}`;

/** One line of a bank's statement. */
export interface BankLine {
  readonly id: BankLineId;
  readonly tenant: string;
  /** Of the tenant at its bank, as it names it. */
  readonly account: string;
  /** `2026-12-01`. */
  readonly date: string;
  /** Minor units of the currency, below zero for what went out. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  readonly text: string;
}

type Content = Omit<BankLine, 'id'>;

/**
 * The same for the same line, in whatever form the bank exports it, and however often.
 *
 * @param occurrence counts the lines of a file that say the same from 1
 */
export function bankLineIdOf(
  { account, amount, currency, date, tenant, text }: Content,
  occurrence: number,
): BankLineId {
  const said = JSON.stringify([tenant, account, date, amount.toString(), currency, text, occurrence]);
  return `bl_${createHash('sha256').update(said).digest('hex').slice(0, 24)}`;
}

/** Blanks at the ends and several in a row tell nothing: banks and spreadsheets add and drop them. */
export function tidyText(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/gu, ' ');
}

/** Under which a line's payment counts. @param round 1, or more after a match was undone */
export function referenceOf(line: BankLineId, round: number): string {
  return round === 1 ? line : `${line}.${round}`;
}
