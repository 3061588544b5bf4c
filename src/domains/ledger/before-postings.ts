import { assertNever } from '../../base/shared/assert-never.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import type { Lines, Pending } from './lines.js';
import {
  deferredOf,
  type Later,
  owedOf,
  payoutOf,
  REFUNDS,
  REVENUE,
  reversalOf,
  type Terms,
  transitOf,
  WRITE_OFF,
} from './payment-entries.js';
import { postRefund, type RefundPosting } from './refund-postings.js';

/** Settled before its request runs: a liability until it is delivered, and another one if it never will be. */
export interface PaidBefore extends Terms {
  readonly flow: 'paid_before';
  readonly idempotent: boolean;
  readonly deposit?: Pending;
  /** Its block is gone. */
  readonly returned?: boolean;
  /** What became of the request; `owed`: it will not be delivered; `lost`: and is not owed any more, not being settled. */
  readonly end?: 'delivered' | 'owed' | 'lost';
  readonly refunded: AtomicAmount;
}

/** Pure: posts one event, and says what the next one depends on. */
export function beforeStep(state: PaidBefore, event: Later, lines: Lines): PaidBefore {
  switch (event.type) {
    case 'SettlementSubmitted':
      return state;
    case 'PaymentSettled':
      if (!state.returned) lines.post(state.deposit);
      lines.posted(payoutOf(state));
      return { ...state, deposit: undefined, returned: false };
    case 'PaymentSettlementFailed':
      return fail(state, lines);
    case 'SettlementReverted':
      lines.posted(reversalOf(state));
      return { ...state, returned: true };
    case 'RequestDelivered':
      lines.posted({ code: 'recognition', debit: deferredOf(state), credit: REVENUE });
      return { ...state, end: 'delivered' };
    case 'DeliveryFailed':
      return owe(state, lines);
    case 'DeliveryInterrupted':
      return state.idempotent ? state : owe(state, lines);
    case 'RefundRequested':
      return givenUp(state, lines);
    case 'PaymentRefunded':
    case 'RefundReverted':
      return refund(givenUp(state, lines), event, lines);
    case 'DeliveryRestarted':
      throw new Error('what is paid before it runs is started, not restarted');
    default:
      return assertNever(event);
  }
}

function owe(state: PaidBefore, lines: Lines): PaidBefore {
  lines.posted({ code: 'refund_owed', debit: deferredOf(state), credit: owedOf(state) });
  return { ...state, end: 'owed' };
}

/** What is to be refunded will not run, if it has not run. */
function givenUp(state: PaidBefore, lines: Lines): PaidBefore {
  return state.end === undefined ? owe(state, lines) : state;
}

function refund(state: PaidBefore, event: RefundPosting, lines: Lines): PaidBefore {
  const from = { delivered: REFUNDS, owed: owedOf(state), lost: WRITE_OFF }[state.end!];
  postRefund(event, state.payee, from, lines);
  const amount = BigInt(event.data.amount);
  return { ...state, refunded: state.refunded + (event.type === 'PaymentRefunded' ? amount : -amount) };
}

/** The first time nothing has moved; later the chain has taken back what had. */
function fail(state: PaidBefore, lines: Lines): PaidBefore {
  const failed: PaidBefore = { ...state, deposit: undefined, returned: false };
  if (!state.returned) lines.void(state.deposit);
  else lose(state, lines);
  return state.end === 'delivered' ? failed : { ...failed, end: 'lost' };
}

/** A loss of what is out, be it an answer or a refund. Nothing else is owed any more. */
function lose(state: PaidBefore, lines: Lines): void {
  const lost = state.end === 'delivered' ? state.amount : state.refunded;
  const credit = transitOf(state);
  const debit = state.end === 'owed' ? owedOf(state) : deferredOf(state);
  if (lost < state.amount) lines.posted({ code: 'reversal', debit, credit }, state.amount - lost);
  if (lost > 0n) lines.posted({ code: 'loss', debit: WRITE_OFF, credit }, lost);
}
