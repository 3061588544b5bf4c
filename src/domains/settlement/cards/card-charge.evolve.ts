import type { StoredEvent } from '../../../base/event-store/event.js';
import type { CardChargeEvent, CardChargeRequested, CardRefundRequested, DisputeOpened } from './card-charge.js';

export type ChargeStatus = 'requested' | 'submitted' | 'action_required' | 'declined' | 'succeeded';

export interface CardRefund {
  readonly asked: CardRefundRequested['data'];
  readonly status: 'pending' | 'succeeded' | 'failed';
}

export interface CardDispute {
  readonly opened: DisputeOpened['data'];
  readonly status: 'open' | 'won' | 'lost';
  /** Of the evidence that was submitted last. */
  readonly evidence?: string;
}

/** One charge of a card, as the events tell it. */
export interface CardCharge {
  readonly asked: CardChargeRequested['data'];
  readonly status: ChargeStatus;
  /** The processor's id of it, as soon as it is known. */
  readonly processorId?: string;
  readonly declined?: { readonly code: string; readonly final: boolean };
  /** Minor units. */
  readonly fee?: bigint;
  /** By their ids. */
  readonly refunds: ReadonlyMap<string, CardRefund>;
  /** By the processor's ids. */
  readonly disputes: ReadonlyMap<string, CardDispute>;
}

/** What the stream of a charge tells; `undefined` if it is empty. */
export function foldCharge(events: readonly StoredEvent[]): CardCharge | undefined {
  return (events as unknown as readonly CardChargeEvent[]).reduce<CardCharge | undefined>(evolveCharge, undefined);
}

/** Folds one stored event. An event that does not fit the state means a corrupt log, so it throws. */
export function evolveCharge(charge: CardCharge | undefined, event: CardChargeEvent): CardCharge {
  if (event.type === 'CardChargeRequested') {
    if (charge !== undefined) throw new Error('a charge is requested once');
    return { asked: event.data, status: 'requested', refunds: new Map(), disputes: new Map() };
  }
  if (charge === undefined) throw new Error(`${event.type} does not follow nothing`);
  return { ...charge, ...changeOf(charge, event) };
}

function changeOf(charge: CardCharge, event: Exclude<CardChargeEvent, CardChargeRequested>): Partial<CardCharge> {
  switch (event.type) {
    case 'CardChargeSubmitted':
      return { status: 'submitted' };
    case 'CardChargeSucceeded':
      return { status: 'succeeded', processorId: event.data.processorId };
    case 'CardFeeTaken':
      return { fee: BigInt(event.data.fee) };
    case 'CardChargeDeclined': {
      const { code, final, processorId = charge.processorId } = event.data;
      return { status: 'declined', declined: { code, final }, ...(processorId !== undefined && { processorId }) };
    }
    case 'CardActionRequired':
      return { status: 'action_required', processorId: event.data.processorId };
    case 'CardRefundRequested':
      return { refunds: new Map([...charge.refunds, [event.data.refund, { asked: event.data, status: 'pending' }]]) };
    case 'CardRefundSucceeded':
      return withRefund(charge, event.data.refund, 'succeeded');
    case 'CardRefundFailed':
      return withRefund(charge, event.data.refund, 'failed');
    case 'DisputeOpened':
      return { disputes: new Map([...charge.disputes, [event.data.dispute, { opened: event.data, status: 'open' }]]) };
    case 'DisputeEvidenceSubmitted':
      return withDispute(charge, event.data.dispute, { evidence: event.data.digest });
    case 'DisputeWon':
      return withDispute(charge, event.data.dispute, { status: 'won' });
    case 'DisputeLost':
      return withDispute(charge, event.data.dispute, { status: 'lost' });
  }
}

function withRefund({ refunds }: CardCharge, id: string, status: CardRefund['status']): Partial<CardCharge> {
  const refund = refunds.get(id);
  if (refund === undefined) throw new Error('nobody asked for that refund of a card');
  return { refunds: new Map([...refunds, [id, { ...refund, status }]]) };
}

function withDispute({ disputes }: CardCharge, id: string, change: Partial<CardDispute>): Partial<CardCharge> {
  const dispute = disputes.get(id);
  if (dispute === undefined) throw new Error('a dispute of a card begins with being opened');
  return { disputes: new Map([...disputes, [id, { ...dispute, ...change }]]) };
}

/** What is left of a charge, in minor units: less refunds that were asked for and have not failed, and what is disputed or lost. */
export function leftOf({ asked, disputes, refunds, status }: CardCharge): bigint {
  if (status !== 'succeeded') return 0n;
  const back = [...refunds.values()].filter((refund) => refund.status !== 'failed').map((refund) => refund.asked);
  const taken = [...disputes.values()].filter((dispute) => dispute.status !== 'won').map(({ opened }) => opened);
  const left = [...back, ...taken].reduce((rest, { amount }) => rest - BigInt(amount), BigInt(asked.amount));
  return left > 0n ? left : 0n;
}

export function hasOpenRefund({ refunds }: CardCharge): boolean {
  return [...refunds.values()].some(({ status }) => status === 'pending');
}

export function hasOpenDispute({ disputes }: CardCharge): boolean {
  return [...disputes.values()].some(({ status }) => status === 'open');
}
