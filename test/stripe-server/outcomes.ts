/** What the bank of a card says to a charge. */
export type CardOutcome =
  | { readonly kind: 'succeed' }
  | { readonly kind: 'decline'; readonly code?: string; readonly decline_code?: string; readonly advice_code?: string }
  /** Nobody is there to prove who they are. */
  | { readonly kind: 'require_action' }
  /** Known later, by `finish`. */
  | { readonly kind: 'process' }
  /** Made, and the processor stopped before it was confirmed. */
  | { readonly kind: 'not_confirmed' };

export type RefundOutcome = 'succeed' | 'pend' | 'fail' | 'refuse';

/** The next of several; the last stays. */
export function take<T>(outcomes: T[] | undefined): T | undefined {
  return outcomes && outcomes.length > 1 ? outcomes.shift() : outcomes?.[0];
}
