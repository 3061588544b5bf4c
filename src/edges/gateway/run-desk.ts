import type { ServerResponse } from 'node:http';
import type { CommandBus } from '@nestjs/cqrs';
import { VersionConflict } from '../../base/event-store/event.js';
import { HoldsRefused } from '../../base/event-store/unit-of-work.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import type { PaymentAfter } from '../../domains/payments/handler-for.js';
import { RestartDelivery, StartDelivery } from '../../domains/payments/payment.decide.js';
import { quotasOf } from '../../domains/payments/payment.holds.js';
import type { PaymentAuthorized, PaymentId } from '../../domains/payments/payment.js';
import type { AdmissionDesk, Repeat } from './admission.js';
import type { DeliveryDesk } from './delivery.js';
import type { Leave } from './lanes/upstream-lanes.js';
import type { LimitDesk } from './limit-desk.js';
import type { PaidCall } from './paid-call.js';
import { type Admitted, PaidDelivery, type PaidParts } from './paid-delivery.js';
import { failureHeaders } from './payment-answer.js';
import type { ReplayDesk, Replayed } from './replay.js';
import { presentableUntil } from './terms.js';
import type { TurnDesk } from './turns.js';
import type { UnpaidDesk } from './unpaid-desk.js';

export interface RunParts {
  readonly turns: TurnDesk;
  readonly admissions: AdmissionDesk;
  readonly deliveries: DeliveryDesk;
  readonly paid: PaidParts;
  readonly limits: LimitDesk;
  readonly unpaid: UnpaidDesk;
  readonly replays: ReplayDesk;
  readonly bus: CommandBus;
  /** Id of this gateway's lease. */
  readonly gateway: string;
  readonly clock: Clock;
}

/** From a payment that is written down to its answer: runs the request, once, or gives the answer of whoever did. */
export class RunDesk {
  constructor(private readonly parts: RunParts) {}

  /** @param leave ends the turn at the upstream; called when that is done, not when the money has moved. Not used in mode `before` */
  async begin(
    call: PaidCall,
    payment: DecodedPayment,
    admitted: Admitted,
    leave: Leave,
    reply: ServerResponse,
  ): Promise<void> {
    const { state } = admitted.payment;
    if (state.status !== 'awaiting_settlement') return this.deliver(call, payment, admitted, leave, reply);
    await this.finish(call, payment, admitted.id, await this.replay(call, admitted.id, reply), reply);
  }

  /** A payment that was presented before, here or elsewhere. */
  async repeat(call: PaidCall, payment: DecodedPayment, known: Repeat, reply: ServerResponse): Promise<void> {
    const { id, mine, payment: state } = known;
    if (state.status === 'unknown') throw new Error(`${id} has no events`);
    // Under a payment identifier another authorization of the same payer stands for the same purchase.
    if (mine) this.parts.replays.checkPresenter(call, payment, state);
    await this.finish(call, payment, id, await this.parts.replays.replay(call, id, state, reply), reply);
  }

  private async deliver(
    call: PaidCall,
    payment: DecodedPayment,
    admitted: Admitted,
    leave: Leave,
    reply: ServerResponse,
  ): Promise<void> {
    const { state } = admitted.payment;
    if (state.status === 'unknown') throw new Error('an admitted payment has been authorized');
    const paid = new PaidDelivery(this.parts.paid, admitted);
    if (state.authorized.mode !== 'after') return this.parts.deliveries.deliverNow(call, paid, reply);
    if ((await this.parts.deliveries.deliverHeld(call, paid, reply)) === 'released') return;
    leave();
    const sent = await this.parts.replays.sendSettled(admitted.id, state, reply);
    await this.finish(call, payment, admitted.id, sent, reply);
  }

  private async finish(
    call: PaidCall,
    payment: DecodedPayment,
    id: PaymentId,
    replayed: Replayed,
    reply: ServerResponse,
  ): Promise<void> {
    switch (replayed.kind) {
      case 'unpaid': {
        const { authorized, reason } = replayed;
        return this.parts.unpaid.refuse(call, reply, reason, failureHeaders(id, authorized, reason));
      }
      case 'restart':
        return this.restart(call, payment, id, replayed.authorized, reply);
      case 'paid':
        return this.run(call, payment, id, reply);
      case 'answered':
        return undefined;
    }
  }

  /** An interrupted request of a route where that is harmless. */
  private async restart(
    call: PaidCall,
    payment: DecodedPayment,
    id: PaymentId,
    authorized: PaymentAuthorized['data'],
    reply: ServerResponse,
  ): Promise<void> {
    const { admissions, clock, gateway, limits, turns } = this.parts;
    const leave = await turns.enter(call, payment, clock(), reply);
    if (!leave) return;
    await this.runOnce(call, payment, id, leave, reply, async () => {
      const claim = await admissions.claimAgain(id, call, payment);
      return new RestartDelivery(id, gateway, claim, limits.retake(quotasOf(authorized)));
    });
  }

  /** Mode `before`: the money has moved, and nobody runs the request. */
  private async run(call: PaidCall, payment: DecodedPayment, id: PaymentId, reply: ServerResponse): Promise<void> {
    // Nobody would get the answer: it is run when the payment is shown again.
    if (reply.destroyed) return;
    const leave = await this.parts.turns.enterPaid(call, reply);
    if (!leave) return;
    await this.runOnce(call, payment, id, leave, reply, async () => new StartDelivery(id, this.parts.gateway));
  }

  /** Of several that want to run a request, the first to write it down does; the others wait for it. */
  private async runOnce(
    call: PaidCall,
    payment: DecodedPayment,
    id: PaymentId,
    leave: Leave,
    reply: ServerResponse,
    command: () => Promise<RestartDelivery | StartDelivery>,
  ): Promise<void> {
    const { admissions, limits } = this.parts;
    const done = admissions.hold(id);
    try {
      const begun = await this.claimRun(await command(), presentableUntil(call, payment));
      if (begun) limits.tell(begun.granted, reply);
      if (begun) return await this.deliver(call, payment, { id, payment: begun }, leave, reply);
    } finally {
      done();
      leave();
    }
    await this.finish(call, payment, id, await this.replay(call, id, reply), reply);
  }

  /** `undefined`: somebody else runs it, or has done so. */
  private async claimRun(command: RestartDelivery | StartDelivery, until: number): Promise<PaymentAfter | undefined> {
    try {
      return await this.parts.bus.execute<RestartDelivery | StartDelivery, PaymentAfter>(command);
    } catch (error) {
      if (error instanceof Problem && error.code === 'delivery_in_progress') return undefined;
      if (error instanceof VersionConflict) return undefined;
      // Others have taken its place meanwhile.
      if (error instanceof HoldsRefused) throw this.parts.limits.problemOf(error, until);
      throw error;
    }
  }

  private async replay(call: PaidCall, id: PaymentId, reply: ServerResponse): Promise<Replayed> {
    const state = (await this.parts.admissions.find(id))?.payment;
    if (!state || state.status === 'unknown') throw new Error(`${id} has no events`);
    return this.parts.replays.replay(call, id, state, reply);
  }
}
