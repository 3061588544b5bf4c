import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { appendDecided } from '../../base/event-store/append-decided.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { assertExpected, type Expected, type Written } from '../../base/event-store/expected.js';
import type { Decision, Write } from '../../base/event-store/unit-of-work.js';
import { CLOCK } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';

interface Command {
  readonly tenant: string;
  readonly expected?: Expected;
}

export interface Rule<C, E, S> extends Pick<Write, 'changesStandings'> {
  stream(command: C): string;
  readonly initial: S;
  evolve(state: S, event: E): S;
  exists(state: S): boolean;
  /** Pure. @param now epoch milliseconds @param version events in the stream so far */
  decide(state: S, command: C, now: number, version: number): Decision;
}

/** Loads what stands, lets the pure rule decide, appends at the version it decided on. */
export function ruleHandler<C extends Command, E, S>(
  command: Type<C>,
  rule: Rule<C, E, S>,
): Type<{ execute(message: C): Promise<Written> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(CLOCK) private readonly clock: Clock,
    ) {}

    async execute(message: C): Promise<Written> {
      const { changesStandings } = rule;
      const place = { stream: rule.stream(message), tenant: message.tenant, changesStandings };
      let created = false;
      await appendDecided(this.store, place, (stored) => {
        const version = stored.length;
        const state = (stored as unknown as readonly E[]).reduce<S>(rule.evolve, rule.initial);
        const decision = rule.decide(state, message, this.clock(), version);
        const exists = rule.exists(state);
        assertExpected(message.expected, { exists, version }, decision);
        created = !exists && decision.events.length > 0;
        return decision;
      });
      return { created };
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}
