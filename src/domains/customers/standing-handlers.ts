import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { appendDecided } from '../../base/event-store/append-decided.js';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { CLOCK } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import {
  ChangeListMode,
  decideListMode,
  decideListPayer,
  decideUnlistPayer,
  ListPayer,
  UnlistPayer,
} from './standing.decide.js';
import {
  evolveListMode,
  evolveStanding,
  type ListEntry,
  type ListMode,
  type ListModeChanged,
  listModeStream,
  type StandingEvent,
  standingStream,
} from './standing.js';

interface Rule<C, S> {
  stream(command: C): string;
  fold(events: readonly unknown[]): S;
  decide(state: S, command: C, now: number): Decision;
}

/** Loads what stands, lets the pure rule decide, appends at the version it decided on, apart from every admission. */
function handlerFor<C extends { readonly tenant: string }, S>(
  command: Type<C>,
  rule: Rule<C, S>,
): Type<{ execute(message: C): Promise<void> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(CLOCK) private readonly clock: Clock,
    ) {}

    execute(message: C): Promise<void> {
      const place = { stream: rule.stream(message), tenant: message.tenant, changesStandings: true };
      return appendDecided(this.store, place, (stored) => rule.decide(rule.fold(stored), message, this.clock()));
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

const entryOf = (events: readonly unknown[]) =>
  (events as readonly StandingEvent[]).reduce<ListEntry | undefined>(evolveStanding, undefined);
const modeOf = (events: readonly unknown[]) =>
  (events as readonly ListModeChanged[]).reduce<ListMode>(evolveListMode, 'open');

export const standingHandlers = [
  handlerFor(ListPayer, {
    stream: ({ payer, tenant }) => standingStream(tenant, payer),
    fold: entryOf,
    decide: decideListPayer,
  }),
  handlerFor(UnlistPayer, {
    stream: ({ payer, tenant }) => standingStream(tenant, payer),
    fold: entryOf,
    decide: decideUnlistPayer,
  }),
  handlerFor(ChangeListMode, { stream: ({ tenant }) => listModeStream(tenant), fold: modeOf, decide: decideListMode }),
];
