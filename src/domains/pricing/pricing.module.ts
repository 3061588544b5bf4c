import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { appendDecided } from '../../base/event-store/append-decided.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { assertExpected, type Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { CLOCK, POOL } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import {
  decidePublishRoute,
  decidePublishTariff,
  decideRegisterTenant,
  decideRotateSecret,
  decideWithdrawRoute,
  PublishRoute,
  PublishTariff,
  RegisterTenant,
  RotateUpstreamSecret,
  WithdrawRoute,
} from './catalogue.decide.js';
import {
  evolvePublished,
  type PublicationEvent,
  type Published,
  routeStream,
  stands,
  tariffStream,
  tenantStream,
  unpublished,
} from './publication.js';
import { refusalOf } from './publication-refusals.js';

/** What became of a publication. */
export interface Publication {
  /** Nothing was published under that name before. */
  readonly created: boolean;
}

interface Rule<C, E extends PublicationEvent, B> {
  stream(command: C): string;
  tenant(command: C): string;
  /** What stands beside the log and is needed to decide. */
  beside?(pool: Pool, command: C): Promise<B>;
  decide(state: Published<E>, command: C, now: number, beside: B | undefined): Decision;
}

/** Loads what is published, lets the pure rule decide, appends at the version it decided on. */
function publisherFor<C extends { readonly expected?: Expected }, E extends PublicationEvent, B = never>(
  command: Type<C>,
  rule: Rule<C, E, B>,
): Type<{ execute(message: C): Promise<Publication> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(POOL) private readonly pool: Pool,
      @Inject(CLOCK) private readonly clock: Clock,
    ) {}

    /** The stream is read before what stands beside it: then a change in between is a conflict. */
    async execute(message: C): Promise<Publication> {
      const place = { stream: rule.stream(message), tenant: rule.tenant(message) };
      let created = false;
      const decide = async (stored: readonly unknown[]): Promise<Decision> => {
        const state = (stored as readonly E[]).reduce<Published<E>>(evolvePublished, unpublished);
        const decision = rule.decide(state, message, this.clock(), await rule.beside?.(this.pool, message));
        assertExpected(message.expected, { version: state.version, exists: stands(state) }, decision);
        created = decision.events.length > 0 && !stands(state);
        return decision;
      };
      try {
        await appendDecided(this.store, place, decide);
      } catch (error) {
        throw refusalOf(error);
      }
      return { created };
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

async function standingSecret(pool: Pool, id: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ secret: string }>('select upstream_secret as secret from tenants where id = $1', [
    id,
  ]);
  return rows[0]?.secret;
}

@Module({
  providers: [
    publisherFor(RegisterTenant, {
      stream: ({ tenant }) => tenantStream(tenant.id),
      tenant: ({ tenant }) => tenant.id,
      beside: (pool, { tenant }) => standingSecret(pool, tenant.id),
      decide: decideRegisterTenant,
    }),
    publisherFor(RotateUpstreamSecret, {
      stream: ({ tenant }) => tenantStream(tenant),
      tenant: ({ tenant }) => tenant,
      decide: decideRotateSecret,
    }),
    publisherFor(PublishRoute, {
      stream: ({ route }) => routeStream(route.tenant, route.id),
      tenant: ({ route }) => route.tenant,
      decide: decidePublishRoute,
    }),
    publisherFor(WithdrawRoute, {
      stream: ({ id, tenant }) => routeStream(tenant, id),
      tenant: ({ tenant }) => tenant,
      decide: decideWithdrawRoute,
    }),
    publisherFor(PublishTariff, {
      stream: ({ id, tenant }) => tariffStream(tenant, id),
      tenant: ({ tenant }) => tenant,
      decide: decidePublishTariff,
    }),
  ],
})
export class PricingModule {}
