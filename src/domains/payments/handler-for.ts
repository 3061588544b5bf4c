import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { NEW_STREAM, VersionConflict } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import type { GrantedHold } from '../../base/event-store/unit-of-work.js';
import type { Known, Plan } from './payment.decide.js';
import { evolvePayment, initialPayment } from './payment.evolve.js';
import { type Payment, type PaymentEvent, type PaymentId, paymentStream } from './payment.js';

/** What every payment command says. */
export interface PaymentCommand {
  readonly paymentId: PaymentId;
  readonly known?: Known;
}

/** Where the payment stands after a command: its state, its version, and the events just written (maybe none). */
export interface PaymentAfter {
  readonly state: Payment;
  readonly version: number;
  readonly events: readonly PaymentEvent[];
  /** The hard holds that were taken with them. */
  readonly granted?: readonly GrantedHold[];
}

const ATTEMPTS_MAX = 4;

/** One line per command: loads the payment, lets the pure rule decide, appends at the version it decided on. */
export function handlerFor<C extends PaymentCommand>(
  command: Type<C>,
  decide: (state: Payment, command: C) => Plan,
): Type<{ execute(message: C): Promise<PaymentAfter> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(@Inject(EventStore) private readonly store: EventStore) {}

    async execute(message: C): Promise<PaymentAfter> {
      let before = message.known ?? (await loadPayment(this.store, message.paymentId));
      for (let attempt = 1; ; attempt++) {
        const plan = decide(before.state, message);
        try {
          return await append(this.store, message.paymentId, before, plan);
        } catch (error) {
          const ours = error instanceof VersionConflict && error.stream === paymentStream(message.paymentId);
          if (!ours || attempt === ATTEMPTS_MAX) throw error;
          before = await loadPayment(this.store, message.paymentId);
        }
      }
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

export async function loadPayment(store: Pick<EventStore, 'readStream'>, id: PaymentId): Promise<Known> {
  const events = await store.readStream(paymentStream(id));
  return { version: events.length, state: foldPayment(events as unknown as readonly PaymentEvent[]) };
}

export function foldPayment(events: readonly PaymentEvent[], from: Payment = initialPayment): Payment {
  return events.reduce(evolvePayment, from);
}

async function append(store: EventStore, id: PaymentId, before: Known, plan: Plan): Promise<PaymentAfter> {
  const { events } = plan;
  if (Array.isArray(events) && events.length === 0) return { ...before, events };
  const written = await store.append({
    stream: paymentStream(id),
    tenant: tenantOf(before.state, events),
    expectedVersion: before.version,
    holds: plan.holds,
    claim: plan.claim,
    admits: plan.admits,
    decide: (held) => ({
      events: typeof events === 'function' ? events(held) : events,
      attachments: plan.attachments,
      removals: plan.removals,
    }),
  });
  const added = written.events as readonly PaymentEvent[];
  return { state: foldPayment(added, before.state), version: written.version, events: added, granted: written.granted };
}

function tenantOf(state: Payment, events: Plan['events']): string {
  if (state.status !== 'unknown') return state.authorized.tenant;
  const first = (typeof events === 'function' ? events(true) : events)[0];
  if (first?.type !== 'PaymentAuthorized') throw new Error('a payment begins with its authorization');
  return first.data.tenant;
}

/** A payment that no event has been written for. */
export const newPayment: Known = { version: NEW_STREAM, state: initialPayment };
