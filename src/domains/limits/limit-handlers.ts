import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { appendDecided } from '../../base/event-store/append-decided.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { assertExpected, type Expected, type Written } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { decidePublish, decideWithdraw, PublishLimit, WithdrawLimit } from './limit.decide.js';
import { evolveLimit, type Limit, type LimitEvent, limitStream } from './limit.js';

interface LimitCommand {
  readonly tenant: string;
  readonly id: string;
  readonly expected?: Expected;
}

/** Loads what stands, lets the pure rule decide, appends at the version it decided on. */
function handlerFor<C extends LimitCommand>(
  command: Type<C>,
  decide: (state: Limit, command: C, version: number) => Decision,
): Type<{ execute(message: C): Promise<Written> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(@Inject(EventStore) private readonly store: EventStore) {}

    async execute(message: C): Promise<Written> {
      const { expected, id, tenant } = message;
      let created = false;
      await appendDecided(this.store, { stream: limitStream(tenant, id), tenant }, (stored) => {
        const state = (stored as unknown as readonly LimitEvent[]).reduce<Limit>(evolveLimit, undefined);
        const version = stored.length;
        const decision = decide(state, message, version);
        const exists = state !== undefined;
        assertExpected(expected, { version, exists }, decision);
        created = !exists && decision.events.length > 0;
        return decision;
      });
      return { created };
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

export const limitHandlers = [handlerFor(PublishLimit, decidePublish), handlerFor(WithdrawLimit, decideWithdraw)];
