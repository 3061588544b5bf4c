import type { Type } from '@nestjs/common';
import { type Rule, ruleHandler } from '../../../base/event-store/rule-handler.js';
import {
  type CardChargeCommand,
  decideNoteEvidence,
  decideObserve,
  decideObserveDispute,
  decideObserveRefund,
  decideRequestCharge,
  decideRequestRefund,
  decideSubmitCharge,
  NoteDisputeEvidence,
  ObserveCardCharge,
  ObserveCardRefund,
  ObserveDispute,
  RequestCardCharge,
  RequestCardRefund,
  SubmitCardCharge,
} from './card-charge.decide.js';
import { type CardCharge, evolveCharge } from './card-charge.evolve.js';
import { type CardChargeEvent, cardChargeStream } from './card-charge.js';

const chargeHandler = <C extends CardChargeCommand>(
  command: Type<C>,
  decide: Rule<C, CardChargeEvent, CardCharge | undefined>['decide'],
) =>
  ruleHandler<C, CardChargeEvent, CardCharge | undefined>(command, {
    place: ({ charge, tenant }) => ({ tenant, stream: cardChargeStream(tenant, charge) }),
    initial: undefined,
    evolve: evolveCharge,
    exists: (charge) => charge !== undefined,
    decide,
  });

export const cardChargeHandlers = [
  chargeHandler(RequestCardCharge, decideRequestCharge),
  chargeHandler(SubmitCardCharge, decideSubmitCharge),
  chargeHandler(ObserveCardCharge, decideObserve),
  chargeHandler(RequestCardRefund, decideRequestRefund),
  chargeHandler(ObserveCardRefund, decideObserveRefund),
  chargeHandler(ObserveDispute, decideObserveDispute),
  chargeHandler(NoteDisputeEvidence, decideNoteEvidence),
];
