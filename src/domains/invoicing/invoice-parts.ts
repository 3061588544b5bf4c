import { halfUp, parseExact, sum } from './exact.js';
import type { InvoiceFinalized } from './invoice.js';

/** What an invoice moves, in whole atomic units: the parts sum to its total. */
export interface InvoiceParts {
  /** Commitments: owed since they were delivered. */
  readonly requests: bigint;
  /** Below zero if earlier invoices said too much. */
  readonly usage: bigint;
  readonly tax: bigint;
  /** What rounding added, or (below zero) took off: the residue, and what is below an atomic unit of usage. */
  readonly rounding: bigint;
}

/** Pure. */
export function partsOf(
  finalized: Pick<InvoiceFinalized['data'], 'lines' | 'scale' | 'subtotal' | 'total'>,
): InvoiceParts {
  const scale = BigInt(finalized.scale);
  const exactly = (kind: 'requests' | 'usage') =>
    halfUp(sum(finalized.lines.filter((line) => line.kind === kind).map(({ exact }) => parseExact(exact))));
  const [requests, usage] = [exactly('requests'), exactly('usage')];
  const subtotal = BigInt(finalized.subtotal) * scale;
  return {
    ...{ requests, usage, tax: BigInt(finalized.total) * scale - subtotal },
    rounding: subtotal - requests - usage,
  };
}
