import { Module } from '@nestjs/common';
import { commitmentHandlers } from './commitment.handlers.js';
import { decideTakeFacilitated, TakeFacilitated } from './facilitated.decide.js';
import { freeRequestHandlers } from './free-request.handlers.js';
import { handlerFor } from './handler-for.js';
import { LiftProbationHandler } from './lift-probation.js';
import {
  AuthorizePayment,
  decideAuthorize,
  decideDelivery,
  decideFailure,
  decideInterruption,
  decideRestart,
  decideStart,
  FailDelivery,
  InterruptDelivery,
  RecordDelivery,
  RestartDelivery,
  StartDelivery,
} from './payment.decide.js';
import { decideRefund, decideRevertRefund, RecordRefund, RevertRefund } from './payment.refund.js';
import {
  CancelRefund,
  decideCancel,
  decideFailRefund,
  decideRequest,
  decideSubmitRefund,
  FailRefund,
  RequestRefund,
  SubmitRefund,
} from './refund.decide.js';
import { transferHandlers } from './transfer.handlers.js';

@Module({
  providers: [
    ...freeRequestHandlers,
    ...transferHandlers,
    LiftProbationHandler,
    ...commitmentHandlers,
    handlerFor(AuthorizePayment, decideAuthorize),
    handlerFor(RecordDelivery, decideDelivery),
    handlerFor(FailDelivery, decideFailure),
    handlerFor(InterruptDelivery, decideInterruption),
    handlerFor(RestartDelivery, decideRestart),
    handlerFor(StartDelivery, decideStart),
    handlerFor(TakeFacilitated, decideTakeFacilitated),
    handlerFor(RequestRefund, decideRequest),
    handlerFor(SubmitRefund, decideSubmitRefund),
    handlerFor(CancelRefund, decideCancel),
    handlerFor(FailRefund, decideFailRefund),
    handlerFor(RecordRefund, decideRefund),
    handlerFor(RevertRefund, decideRevertRefund),
  ],
})
export class PaymentsModule {}
