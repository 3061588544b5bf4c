import type { StreamClaim } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type { Plan } from './payment.decide.js';
import type { Payment, PaymentId, PaymentRefunded } from './payment.js';

export type Refund = PaymentRefunded['data'];

/** A Transfer log on the chain is spoken for: it refunds this payment and no other. */
export interface TransferClaimed {
  readonly type: 'TransferClaimed';
  readonly schema: 1;
  readonly data: { readonly payment: PaymentId };
}

/** Records that the payee sent money back. Repeatable: the same transfer counts once. */
export class RecordRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly refund: Refund,
  ) {}
}

export function decideRefund(state: Payment, { paymentId, refund }: RecordRefund): Plan {
  if (refundsOf(state).some((known) => isSameTransfer(known, refund))) return { events: [] };
  if (state.status !== 'settled') throw new Problem('payment_not_settled');
  const { amount, network } = state.authorized.terms;
  if (refundedBy(state) + BigInt(refund.amount) > BigInt(amount)) throw new Problem('refund_exceeds_payment');
  const event: PaymentRefunded = { type: 'PaymentRefunded', schema: 1, data: refund };
  const claimed: TransferClaimed = { type: 'TransferClaimed', schema: 1, data: { payment: paymentId } };
  const claim: StreamClaim = { stream: transferStream(network, refund), expectedVersion: 0, event: claimed };
  return { events: [event], claim };
}

/** What makes a Transfer unique on its chain; whoever counts one writes this stream first. */
export function transferStream(network: string, { logIndex, transaction }: Pick<Refund, 'logIndex' | 'transaction'>) {
  return `transfer/${network}/${transaction}/${logIndex}`;
}

/** Oldest first. */
export function refundsOf(state: Payment): readonly Refund[] {
  return ('refunds' in state && state.refunds) || [];
}

/** Atomic units sent back so far. */
export function refundedBy(state: Payment): bigint {
  return refundsOf(state).reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** A transaction that moved to another block has the same logs, maybe under other indices. */
function isSameTransfer(a: Refund, b: Refund): boolean {
  return a.transaction === b.transaction && (a.logIndex === b.logIndex || a.blockHash !== b.blockHash);
}
