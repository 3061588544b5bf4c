import { delegationsOf, type SettlementDelegated } from './delegation.js';
import type { Known, Plan } from './payment.decide.js';
import type { Payment, PaymentId } from './payment.js';
import { isOpen, transactionsOf } from './settle.decide.js';

/**
 * Leaves the payment to one facilitator for a time. Who finds no event written has lost the race, or comes too early: somebody
 * else has it, or a transaction of ours may pay.
 */
export class DelegateSettlement {
  constructor(
    readonly paymentId: PaymentId,
    readonly facilitator: string,
    /** Epoch milliseconds. */
    readonly time: { readonly now: number; readonly until: number },
    /** The attempt that came to its end before its time, if the sender has seen it. */
    readonly ended?: number,
    readonly known?: Known,
  ) {}
}

export function decideDelegate(state: Payment, { ended, facilitator, time }: DelegateSettlement): Plan {
  // What will not be delivered any more is sent by nobody anew.
  if (!isOpen(state) || state.status === 'undelivered' || transactionsOf(state).length > 0) return { events: [] };
  const last = delegationsOf(state).at(-1);
  if (last && last.attempt !== ended && Number(last.until) > time.now) return { events: [] };
  const data = { facilitator, attempt: (last?.attempt ?? 0) + 1, until: time.until.toString() };
  const event: SettlementDelegated = { type: 'SettlementDelegated', schema: 1, data };
  return { events: [event] };
}
