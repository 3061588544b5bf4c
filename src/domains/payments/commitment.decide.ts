import type { AccountAt, Attachment, HoldRequest, Write } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import { giveBack, type Used, unusedOf } from './commitment.holds.js';
import type {
  Commitment,
  CommitmentAccepted,
  CommitmentDelivered,
  CommitmentId,
  CommitmentInterrupted,
  CommitmentReleased,
} from './commitment.js';
import { holdsOf } from './payment.holds.js';

/** What a command leads to; `decide` of the write is what `decision` says. */
export interface CommitmentPlan extends Pick<Write, 'holds' | 'account'> {
  readonly decision: ReturnType<Write['decide']>;
}

/** What proves that the customer agreed: what was signed (RFC 9421 section 2.5), and the signature. */
export interface Evidence {
  readonly base: string;
  readonly signature: Buffer;
}

/** Takes the most that the request may cost from the account's credit, and from every quota; refused if any of them is used up. */
export class AcceptCommitment {
  constructor(
    readonly id: CommitmentId,
    readonly accepted: Omit<CommitmentAccepted['data'], 'holds'>,
    /** All of them hard. */
    readonly holds: readonly HoldRequest[],
    /** The account by which it was decided. */
    readonly account: AccountAt,
    readonly evidence: Evidence,
  ) {}
}

/** @throws Problem if the nonce was signed before: `commitment_nonce_reused` */
export function decideAccept(state: Commitment, command: AcceptCommitment): CommitmentPlan {
  const { accepted, account, evidence, holds, id } = command;
  if (state.status !== 'unknown') throw new Problem('commitment_nonce_reused');
  const data = { ...accepted, holds: holdsOf(holds) };
  const event: CommitmentAccepted = { type: 'CommitmentAccepted', schema: 1, data };
  const row = { id, base: evidence.base, signature: evidence.signature };
  return { holds, account, decision: { events: [event], attachments: [{ table: 'commitment_evidence', row }] } };
}

export class RecordCommitment {
  constructor(
    readonly id: CommitmentId,
    readonly delivered: Omit<CommitmentDelivered['data'], 'units' | 'charged' | 'released'>,
    readonly used: Used,
    readonly attachments: readonly Attachment[],
    /** As it was accepted by this gateway a moment ago: then the stream need not be read. */
    readonly known?: Commitment,
  ) {}
}

/** Charges what was used, never more than was accepted, and gives the rest back. @throws Problem `delivery_interrupted` */
export function decideDelivered(state: Commitment, command: RecordCommitment): CommitmentPlan {
  const accepted = mustRun(state);
  const used = {
    units: least(command.used.units, BigInt(accepted.units)),
    charged: least(command.used.charged, BigInt(accepted.amount)),
  };
  const released = unusedOf(accepted, used);
  const amounts = { units: used.units.toString(), charged: used.charged.toString(), released };
  const data = { ...command.delivered, ...amounts };
  const event: CommitmentDelivered = { type: 'CommitmentDelivered', schema: 1, data };
  return { holds: giveBack(released), decision: { events: [event], attachments: command.attachments } };
}

export class ReleaseCommitment {
  constructor(
    readonly id: CommitmentId,
    readonly released: CommitmentReleased['data'],
    readonly attachments: readonly Attachment[],
    readonly known?: Commitment,
  ) {}
}

/** @throws Problem `delivery_interrupted` */
export function decideReleased(state: Commitment, { attachments, released }: ReleaseCommitment): CommitmentPlan {
  const { holds } = mustRun(state);
  const event: CommitmentReleased = { type: 'CommitmentReleased', schema: 1, data: released };
  return { holds: giveBack(holds), decision: { events: [event], attachments } };
}

/** Sent for a gateway that is gone. What ended meanwhile stays as it ended. */
export class InterruptCommitment {
  constructor(
    readonly id: CommitmentId,
    readonly gateway: string,
  ) {}
}

export function decideInterrupted(state: Commitment, { gateway }: InterruptCommitment): CommitmentPlan {
  if (state.status !== 'running' || state.accepted.gateway !== gateway) return { decision: { events: [] } };
  const event: CommitmentInterrupted = { type: 'CommitmentInterrupted', schema: 1, data: { gateway } };
  return { holds: giveBack(state.accepted.holds), decision: { events: [event] } };
}

function mustRun(state: Commitment): CommitmentAccepted['data'] {
  if (state.status === 'running') return state.accepted;
  throw new Problem('delivery_interrupted');
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
