import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { CLOCK, POOL } from '../platform/tokens.js';
import type { Clock } from '../shared/clock.js';
import { appendDecided } from './append-decided.js';
import { EventStore } from './event-store.js';
import { assertExpected, type Expected, type Written } from './expected.js';
import type { Decision, Write } from './unit-of-work.js';

/** How a command is carried out whose stream says what stands; its `expected`, if it has one, is what it must find. */
export interface Rule<C, E, S, B = never> extends Pick<Write, 'changesStandings'> {
  place(command: C): Pick<Write, 'stream' | 'tenant'>;
  readonly initial: S;
  evolve(state: S, event: E): S;
  exists(state: S): boolean;
  /** What stands beside the log and is needed to decide. */
  beside?(pool: Pool, command: C): Promise<B>;
  /** Pure. @param now epoch milliseconds @param version events in the stream so far */
  decide(state: S, command: C, now: number, version: number, beside: B | undefined): Decision;
  /** What an error of the store means; the same error, if nothing else. */
  refusalOf?(error: unknown): unknown;
}

/** Loads what stands, lets the pure rule decide, appends at the version it decided on. */
export function ruleHandler<C extends object, E, S, B = never>(
  command: Type<C>,
  rule: Rule<C, E, S, B>,
): Type<{ execute(message: C): Promise<Written> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(POOL) private readonly pool: Pool,
      @Inject(CLOCK) private readonly clock: Clock,
    ) {}

    async execute(message: C): Promise<Written> {
      const place = { ...rule.place(message), changesStandings: rule.changesStandings };
      const { expected } = message as { readonly expected?: Expected };
      let created = false;
      // The stream is read before what stands beside it: then a change in between is a conflict.
      const decide = async (stored: readonly unknown[]): Promise<Decision> => {
        const version = stored.length;
        const state = (stored as readonly E[]).reduce<S>(rule.evolve, rule.initial);
        const beside = await rule.beside?.(this.pool, message);
        const decision = rule.decide(state, message, this.clock(), version, beside);
        const exists = rule.exists(state);
        assertExpected(expected, { exists, version }, decision);
        created = !exists && decision.events.length > 0;
        return decision;
      };
      try {
        await appendDecided(this.store, place, decide);
      } catch (error) {
        throw rule.refusalOf ? rule.refusalOf(error) : error;
      }
      return { created };
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}
