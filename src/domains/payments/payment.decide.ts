import type { Attachment, HoldRequest, PayerAt, Removal, StreamClaim } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import { holdsOf, releaseAll, takeExposureAgain } from './payment.holds.js';
import type {
  DeliveryFailed,
  DeliveryInterrupted,
  DeliveryRestarted,
  DeliveryStarted,
  Payment,
  PaymentAuthorized,
  PaymentEvent,
  PaymentId,
  RequestDelivered,
  SettlementMode,
} from './payment.js';
import { offProbation } from './probation.js';

/** What a command leads to. `events` may depend on whether the holds that are not hard were granted. */
export interface Plan {
  readonly holds?: readonly HoldRequest[];
  readonly events: readonly PaymentEvent[] | ((held: boolean) => readonly PaymentEvent[]);
  readonly attachments?: readonly Attachment[];
  readonly removals?: readonly Removal[];
  readonly claim?: StreamClaim;
  /** Whose request is let in; a payer that is denied gets `PayerDenied`, and nothing is written. */
  readonly admits?: PayerAt;
}

/** A state the sender already knows for sure, having written it; saves reading the stream again. */
export interface Known {
  readonly version: number;
  readonly state: Payment;
}

/** Claims an authorization for one request. Only a stream that does not exist can be authorized. */
export class AuthorizePayment {
  constructor(
    readonly paymentId: PaymentId,
    readonly terms: Omit<PaymentAuthorized['data'], 'mode' | 'holds'>,
    /** What `async` needs; none: the money moves before the answer goes out. */
    readonly exposure: readonly HoldRequest[],
    readonly attachments: readonly Attachment[],
    readonly known: Known,
    /** The client's own name for this purchase, claimed in the same step. */
    readonly claim?: StreamClaim,
    /** What the request takes of quotas and spending limits; without all of it, it is refused. */
    readonly quotas: readonly HoldRequest[] = [],
    /** The mode without exposure. */
    readonly otherwise: Exclude<SettlementMode, 'async'> = 'after',
  ) {}
}

export function decideAuthorize(state: Payment, command: AuthorizePayment): Plan {
  if (state.status !== 'unknown') throw new Problem('authorization_used_elsewhere');
  const { attachments, claim, exposure, otherwise, quotas, terms } = command;
  const admits = { tenant: terms.tenant, payer: terms.terms.payer };
  const authorized = (mode: SettlementMode, holds: readonly HoldRequest[]): PaymentAuthorized[] => [
    { type: 'PaymentAuthorized', schema: 4, data: { ...terms, mode, holds: holdsOf(holds) } },
  ];
  return {
    holds: exposure.length === 0 ? quotas : [...exposure, offProbation(terms), ...quotas],
    // Over the limit, or on probation, is no refusal: the payer is served once the money has moved.
    events: (held) =>
      held && exposure.length > 0 ? authorized('async', [...exposure, ...quotas]) : authorized(otherwise, quotas),
    attachments,
    claim,
    admits,
  };
}

/** Mode `before`: runs the request of a settled payment, here and nowhere else. */
export class StartDelivery {
  constructor(
    readonly paymentId: PaymentId,
    readonly gateway: string,
  ) {}
}

/** @throws Problem `delivery_in_progress` if there is nothing to run any more: somebody else does, or has done so */
export function decideStart(state: Payment, command: StartDelivery): Plan {
  if (state.status !== 'paid') throw new Problem('delivery_in_progress');
  const event: DeliveryStarted = { type: 'DeliveryStarted', schema: 1, data: { gateway: command.gateway } };
  return { events: [event] };
}

export class RecordDelivery {
  constructor(
    readonly paymentId: PaymentId,
    readonly delivered: RequestDelivered['data'],
    readonly gateway: string,
    readonly attachments: readonly Attachment[] = [],
    readonly known?: Known,
  ) {}
}

export function decideDelivery(state: Payment, command: RecordDelivery): Plan {
  mustBeDelivering(state, command.gateway);
  const event: RequestDelivered = { type: 'RequestDelivered', schema: 1, data: command.delivered };
  return { events: [event], attachments: command.attachments };
}

export class FailDelivery {
  constructor(
    readonly paymentId: PaymentId,
    readonly failed: DeliveryFailed['data'],
    readonly gateway: string,
    readonly attachments: readonly Attachment[] = [],
    readonly known?: Known,
  ) {}
}

export function decideFailure(state: Payment, command: FailDelivery): Plan {
  const delivering = mustBeDelivering(state, command.gateway);
  // It is paid for, and harmless to run again: whoever shows the payment next gets it run.
  if (command.failed.reason === 'shutdown' && mayRunAgain(delivering))
    return interruptionOf(delivering, command.gateway);
  const event: DeliveryFailed = { type: 'DeliveryFailed', schema: 1, data: command.failed };
  return { events: [event], attachments: command.attachments, holds: releaseAll(delivering.authorized) };
}

/** Sent for a gateway that is gone. A delivery that finished meanwhile wins. */
export class InterruptDelivery {
  constructor(
    readonly paymentId: PaymentId,
    readonly gateway: string,
  ) {}
}

export function decideInterruption(state: Payment, command: InterruptDelivery): Plan {
  return isDelivering(state, command.gateway) ? interruptionOf(state, command.gateway) : { events: [] };
}

/** What is paid for and may run again keeps what it holds. */
function interruptionOf(state: Delivering, gateway: string): Plan {
  const event: DeliveryInterrupted = { type: 'DeliveryInterrupted', schema: 1, data: { gateway } };
  return { events: [event], holds: mayRunAgain(state) ? [] : releaseAll(state.authorized) };
}

/** Runs an interrupted request again, if its route declares that this is harmless. */
export class RestartDelivery {
  constructor(
    readonly paymentId: PaymentId,
    readonly gateway: string,
    /** The client's own name for this purchase must still stand for this payment. */
    readonly claim?: StreamClaim,
    /** What it takes again of quotas and spending limits. */
    readonly quotas: readonly HoldRequest[] = [],
  ) {}
}

export function decideRestart(state: Payment, command: RestartDelivery): Plan {
  if (state.status !== 'interrupted') throw new Problem('delivery_in_progress');
  if (!state.authorized.idempotent) throw new Problem('delivery_interrupted');
  const event: DeliveryRestarted = { type: 'DeliveryRestarted', schema: 1, data: { gateway: command.gateway } };
  const { tenant, terms } = state.authorized;
  const holds = [...takeExposureAgain(state.authorized), ...command.quotas];
  return { events: [event], holds, claim: command.claim, admits: { tenant, payer: terms.payer } };
}

type Delivering = Extract<Payment, { status: 'authorized' | 'delivering' }>;

function isDelivering(state: Payment, gateway: string): state is Delivering {
  return (state.status === 'authorized' || state.status === 'delivering') && state.gateway === gateway;
}

function mustBeDelivering(state: Payment, gateway: string): Delivering {
  if (isDelivering(state, gateway)) return state;
  throw new Problem('delivery_interrupted');
}

function mayRunAgain({ authorized, status }: Delivering): boolean {
  return status === 'delivering' && authorized.idempotent;
}
