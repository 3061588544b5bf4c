import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { VersionConflict } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { type GrantedHold, HoldsRefused } from '../../base/event-store/unit-of-work.js';
import { CLOCK } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import {
  decideFreeDelivery,
  decideFreeFailure,
  decideFreeInterruption,
  decideGrant,
  FailFreeRequest,
  type FreePlan,
  GrantFreeRequest,
  InterruptFreeRequest,
  RecordFreeDelivery,
} from './free-request.decide.js';
import {
  evolveFreeRequest,
  type FreeRequest,
  type FreeRequestEvent,
  type FreeRequestId,
  freeRequestStream,
  newFreeRequest,
} from './free-request.js';

/** Granted and ended: a third event never fits, so the second look decides. */
const ATTEMPTS_MAX = 3;

/** Loads the request, unless it is most likely new, lets the pure rule decide, appends at the version it decided on. */
function freeHandler<C extends { readonly id: FreeRequestId; readonly granted?: GrantFreeRequest['granted'] }>(
  command: Type<C>,
  decide: (state: FreeRequest, message: C, now: number) => FreePlan,
): Type<{ execute(message: C): Promise<readonly GrantedHold[] | undefined> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(CLOCK) private readonly clock: Clock,
    ) {}

    /** Resolves with the hard holds that were taken. @throws HoldsRefused, PayerDenied, Problem */
    async execute(message: C): Promise<readonly GrantedHold[] | undefined> {
      let events = message.granted ? [] : await this.load(message.id);
      for (let attempt = 1; ; attempt++) {
        const state = events.reduce<FreeRequest>(evolveFreeRequest, newFreeRequest);
        const { decision, ...rest } = decide(state, message, this.clock());
        if (decision.events.length === 0) return undefined;
        const tenant = (message.granted ?? (state as Extract<FreeRequest, { granted: unknown }>).granted).tenant;
        const place = { stream: freeRequestStream(message.id), tenant, expectedVersion: events.length };
        try {
          return (await this.store.append({ ...place, ...rest, decide: () => decision })).granted;
        } catch (error) {
          const used = error instanceof HoldsRefused;
          if (!(used || error instanceof VersionConflict) || attempt === ATTEMPTS_MAX) throw error;
          events = await this.load(message.id);
          // What took the last of an allowance may be this very request, sent twice at once.
          if (used && events.length === place.expectedVersion) throw error;
        }
      }
    }

    private async load(id: FreeRequestId): Promise<readonly FreeRequestEvent[]> {
      return (await this.store.readStream(freeRequestStream(id))) as unknown as readonly FreeRequestEvent[];
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

export const freeRequestHandlers = [
  freeHandler(GrantFreeRequest, decideGrant),
  freeHandler(RecordFreeDelivery, decideFreeDelivery),
  freeHandler(FailFreeRequest, decideFreeFailure),
  freeHandler(InterruptFreeRequest, decideFreeInterruption),
];
