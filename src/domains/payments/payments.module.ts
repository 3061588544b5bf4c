import { Module } from '@nestjs/common';
import { decideTakeFacilitated, TakeFacilitated } from './facilitated.decide.js';
import { freeRequestHandlers } from './free-request.handlers.js';
import { handlerFor } from './handler-for.js';
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
import { decideRefund, RecordRefund } from './payment.refund.js';

@Module({
  providers: [
    ...freeRequestHandlers,
    handlerFor(AuthorizePayment, decideAuthorize),
    handlerFor(RecordDelivery, decideDelivery),
    handlerFor(FailDelivery, decideFailure),
    handlerFor(InterruptDelivery, decideInterruption),
    handlerFor(RestartDelivery, decideRestart),
    handlerFor(StartDelivery, decideStart),
    handlerFor(TakeFacilitated, decideTakeFacilitated),
    handlerFor(RecordRefund, decideRefund),
  ],
})
export class PaymentsModule {}
