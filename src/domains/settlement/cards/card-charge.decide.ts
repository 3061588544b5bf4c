import type { Decision } from '../../../base/event-store/unit-of-work.js';
import { Problem } from '../../../base/shared/problem.js';
import { type CardCharge, type ChargeStatus, leftOf } from './card-charge.evolve.js';
import type { CardChargeEvent, CardChargeRequested, CardRefundReason } from './card-charge.js';
import type { ChargeWord, DisputeWord, RefundWord } from './card-processor.js';

/** Most refunds of one charge. */
export const CARD_REFUNDS_MAX = 100;

/** Names a charge; what every command has. */
export abstract class CardChargeCommand {
  constructor(
    readonly tenant: string,
    readonly charge: string,
  ) {}
}

export class RequestCardCharge extends CardChargeCommand {
  constructor(
    charge: string,
    readonly asked: CardChargeRequested['data'],
  ) {
    super(asked.tenant, charge);
  }
}

/** Before the processor is called: from then on it may have it. */
export class SubmitCardCharge extends CardChargeCommand {}

/** What the processor said, whoever brought it. */
export class ObserveCardCharge extends CardChargeCommand {
  constructor(
    tenant: string,
    charge: string,
    readonly word: ChargeWord,
  ) {
    super(tenant, charge);
  }
}

export class RequestCardRefund extends CardChargeCommand {
  constructor(
    tenant: string,
    charge: string,
    readonly refund: string,
    /** Minor units, above zero. Of a surplus what is left of the charge, if that is less. */
    readonly amount: bigint,
    readonly reason: CardRefundReason,
  ) {
    super(tenant, charge);
  }
}

export class ObserveCardRefund extends CardChargeCommand {
  constructor(
    tenant: string,
    charge: string,
    readonly refund: string,
    readonly word: RefundWord,
  ) {
    super(tenant, charge);
  }
}

export class ObserveDispute extends CardChargeCommand {
  constructor(
    tenant: string,
    charge: string,
    readonly word: DisputeWord,
  ) {
    super(tenant, charge);
  }
}

export class NoteDisputeEvidence extends CardChargeCommand {
  constructor(
    tenant: string,
    charge: string,
    readonly dispute: string,
    /** SHA-256 of what was submitted, base64url. */
    readonly digest: string,
  ) {
    super(tenant, charge);
  }
}

type State = CardCharge | undefined;
const NOTHING: Decision = { events: [] };

function said(...events: readonly CardChargeEvent[]): Decision {
  return { events };
}

/** Of two that reckoned the same attempt the first counts. */
export function decideRequestCharge(state: State, { asked }: RequestCardCharge): Decision {
  return state === undefined ? said({ type: 'CardChargeRequested', schema: 1, data: asked }) : NOTHING;
}

export function decideSubmitCharge(state: State): Decision {
  return state?.status === 'requested' ? said({ type: 'CardChargeSubmitted', schema: 1, data: {} }) : NOTHING;
}

/** What was said later is never less: so order and repetition make no difference. */
const RANK: Readonly<Record<ChargeStatus, number>> = {
  ...{ requested: 0, submitted: 0, action_required: 1, declined: 2, succeeded: 4 },
};

/** What is unknown, absent or on its way changes nothing. A success counts after whatever was said before. */
export function decideObserve(state: State, { word }: ObserveCardCharge): Decision {
  if (state === undefined || state.status === 'requested') return NOTHING;
  const rank = state.declined?.final && state.status === 'declined' ? 3 : RANK[state.status];
  switch (word.kind) {
    case 'succeeded': {
      const { fee, processorId } = word;
      const events: CardChargeEvent[] = [];
      if (rank < 4) events.push({ type: 'CardChargeSucceeded', schema: 1, data: { processorId } });
      if (fee !== undefined && state.fee === undefined) {
        events.push({ type: 'CardFeeTaken', schema: 1, data: { fee: fee.toString() } });
      }
      return said(...events);
    }
    case 'declined': {
      if (rank >= (word.final ? 3 : 2)) return NOTHING;
      const { code, final, processorId } = word;
      const data = { ...(processorId !== undefined && { processorId }), code, final };
      return said({ type: 'CardChargeDeclined', schema: 1, data });
    }
    case 'requires_action': {
      if (rank >= 1) return NOTHING;
      return said({ type: 'CardActionRequired', schema: 1, data: { processorId: word.processorId } });
    }
    default:
      return NOTHING;
  }
}

/** @throws Problem `card_not_charged`, `refund_exceeds_payment`, `too_many_refunds`; never of a surplus */
export function decideRequestRefund(state: State, command: RequestCardRefund): Decision {
  const { amount, reason, refund } = command;
  if (state?.refunds.has(refund)) return NOTHING;
  if (state?.status !== 'succeeded') throw new Problem('card_not_charged');
  const left = leftOf(state);
  const taken = reason === 'surplus' && left < amount ? left : amount;
  if (taken === 0n) return NOTHING;
  if (taken > left) throw new Problem('refund_exceeds_payment');
  if (reason === 'requested' && state.refunds.size >= CARD_REFUNDS_MAX) throw new Problem('too_many_refunds');
  return said({ type: 'CardRefundRequested', schema: 1, data: { refund, amount: taken.toString(), reason } });
}

/** A refund that failed has failed, whatever is heard of it late. */
export function decideObserveRefund(state: State, { refund, word }: ObserveCardRefund): Decision {
  const status = state?.refunds.get(refund)?.status;
  if (status === undefined || status === 'failed') return NOTHING;
  if (word.kind === 'failed') {
    return said({ type: 'CardRefundFailed', schema: 1, data: { refund, code: word.code } });
  }
  if (word.kind !== 'succeeded' || status === 'succeeded') return NOTHING;
  return said({ type: 'CardRefundSucceeded', schema: 1, data: { refund, processorId: word.processorId } });
}

/** Of a charge that is not known to have succeeded nothing is said yet: it is asked for again. The first end of a dispute stands. */
export function decideObserveDispute(state: State, { word }: ObserveDispute): Decision {
  if (state?.status !== 'succeeded') return NOTHING;
  const { amount, disputeId: dispute, evidenceDue, fee, reason, status } = word;
  const known = state.disputes.get(dispute);
  const opened = { dispute, amount: amount.toString(), fee: fee.toString(), reason };
  const events: CardChargeEvent[] = [];
  if (known === undefined) {
    const data = { ...opened, ...(evidenceDue !== undefined && { evidenceDue }) };
    events.push({ type: 'DisputeOpened', schema: 1, data });
  }
  if (known === undefined || known.status === 'open') {
    if (status === 'won') events.push({ type: 'DisputeWon', schema: 1, data: { dispute, fee: opened.fee } });
    if (status === 'lost') events.push({ type: 'DisputeLost', schema: 1, data: { dispute } });
  }
  return said(...events);
}

/** @throws Problem `unknown_dispute` */
export function decideNoteEvidence(state: State, { digest, dispute }: NoteDisputeEvidence): Decision {
  const known = state?.disputes.get(dispute);
  if (known === undefined) throw new Problem('unknown_dispute');
  if (known.evidence === digest) return NOTHING;
  return said({ type: 'DisputeEvidenceSubmitted', schema: 1, data: { dispute, digest } });
}
