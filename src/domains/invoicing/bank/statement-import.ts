import type { Pool } from 'pg';
import type { EventStore } from '../../../base/event-store/event-store.js';
import type { Clock } from '../../../base/shared/clock.js';
import { Problem, type ProblemCode } from '../../../base/shared/problem.js';
import { MatchBankLine } from './bank-line.decide.js';
import type { BankLine } from './bank-line.js';
import { type BankLineState, invoicesNumbered, type KnownLine, knownLines, storeLines } from './bank-lines.queries.js';
import { namedInvoices } from './named-invoices.js';
import { type Effect, effectsOn } from './payment-effects.js';
import type { Fault, StatementLine } from './statement.js';

/** Invoices that are paid at the same time. */
const LANES = 16;

/** What became of a line, and of which invoice it is. */
export type LineResult =
  | { readonly row: number; readonly result: 'rejected'; readonly reason: Fault }
  | ({
      readonly row: number;
      readonly id: string;
      readonly result: 'matched';
      readonly invoice: string;
    } & Partial<Effect>)
  | { readonly row: number; readonly id: string; readonly result: 'ambiguous' }
  | { readonly row: number; readonly id: string; readonly result: 'unmatched'; readonly reason: Unmatched }
  | {
      readonly row: number;
      readonly id: string;
      readonly result: 'duplicate';
      readonly state: BankLineState;
      readonly invoice?: string;
    };

/** `no_number`: the text names no invoice. */
export type Unmatched = 'no_number' | ProblemCode;

export interface ImportPorts {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readStreams'>;
  readonly clock: Clock;
  readonly execute: (command: MatchBankLine) => Promise<unknown>;
  /** Before the numbers of the tenant's invoices. */
  readonly prefixOf: (tenant: string) => Promise<string>;
}

interface Open {
  readonly row: number;
  readonly line: BankLine;
  readonly invoice: { readonly id: string; readonly customer: string; readonly sequence: number };
}

/**
 * Takes the lines of a file, each once for ever, and matches those that name one invoice. Lines that are known and were never matched are
 * looked at again, so that the same file sent again finishes what a crash cut off.
 */
export async function importStatement(
  ports: ImportPorts,
  tenant: string,
  statement: readonly StatementLine[],
): Promise<LineResult[]> {
  const read = statement.flatMap((one) => ('line' in one ? [one] : []));
  const lines = read.map(({ line }) => line);
  const added = await storeLines(ports.pool, lines, ports.clock());
  const known = await knownLines(
    ports.pool,
    lines.map(({ id }) => id),
  );
  const results = new Map<number, LineResult>();
  for (const one of statement) {
    if ('fault' in one) results.set(one.row, { row: one.row, result: 'rejected', reason: one.fault });
  }
  const open = read.filter(({ line }) => isOpen(known.get(line.id)!));
  const matching = new Matching(ports, tenant, results);
  const named = await matching.named(open);
  await matching.run(named);
  const effects = await effectsOn(
    ports.store,
    tenant,
    named.map(({ invoice }) => invoice),
  );
  const now = await knownLines(
    ports.pool,
    lines.map(({ id }) => id),
  );
  for (const { line, row } of read) {
    const result = results.get(row);
    const { invoice, state } = now.get(line.id)!;
    if (result?.result === 'matched') results.set(row, { ...result, ...effects.get(line.id) });
    // Another import may have matched meanwhile what is new here.
    else if (!added.has(line.id) || state === 'matched') {
      results.set(row, { row, id: line.id, result: 'duplicate', state, ...(invoice !== undefined && { invoice }) });
    }
  }
  return statement.map(({ row }) => results.get(row)!);
}

/** A match that was undone is not made again by itself. */
function isOpen({ rounds, state }: KnownLine): boolean {
  return state === 'unmatched' && rounds === 0;
}

class Matching {
  constructor(
    private readonly ports: ImportPorts,
    private readonly tenant: string,
    private readonly results: Map<number, LineResult>,
  ) {}

  /** Those whose text names one invoice that there is. */
  async named(open: readonly { readonly row: number; readonly line: BankLine }[]): Promise<Open[]> {
    const prefix = await this.ports.prefixOf(this.tenant);
    const numbers = open.map(({ line }) => namedInvoices(line.text, prefix));
    const there = await invoicesNumbered(this.ports.pool, this.tenant, [...new Set(numbers.flat())]);
    return open.flatMap(({ line, row }, index) => {
      const [number, other] = numbers[index]!;
      if (other !== undefined) this.results.set(row, { row, id: line.id, result: 'ambiguous' });
      else if (number === undefined) this.leave(row, line, 'no_number');
      else if (!there.has(number)) this.leave(row, line, 'unknown_invoice');
      else return [{ row, line, invoice: there.get(number)! }];
      return [];
    });
  }

  /** Lines of one invoice one after the other, what came in before what went back. */
  async run(open: readonly Open[]): Promise<void> {
    const byInvoice = new Map<string, Open[]>();
    for (const one of open) byInvoice.set(one.invoice.id, [...(byInvoice.get(one.invoice.id) ?? []), one]);
    const groups = [...byInvoice.values()];
    const lane = async () => {
      for (let group = groups.pop(); group; group = groups.pop()) {
        group.sort((a, b) => Number(a.line.amount < 0n) - Number(b.line.amount < 0n) || a.row - b.row);
        for (const one of group) await this.match(one);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  private async match({ invoice, line, row }: Open): Promise<void> {
    const { customer, id, sequence } = invoice;
    try {
      await this.ports.execute(new MatchBankLine(this.tenant, customer, sequence, id, line, 1));
      this.results.set(row, { row, id: line.id, result: 'matched', invoice: id });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'bank_line_ambiguous') this.results.set(row, { row, id: line.id, result: 'ambiguous' });
      else this.leave(row, line, error.code as ProblemCode);
    }
  }

  private leave(row: number, line: BankLine, reason: Unmatched): void {
    this.results.set(row, { row, id: line.id, result: 'unmatched', reason });
  }
}
