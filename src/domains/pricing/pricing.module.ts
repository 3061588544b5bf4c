import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { appendDecided } from '../../base/event-store/append-decided.js';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { CLOCK } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import {
  decidePublishRoute,
  decidePublishTariff,
  decideRegisterTenant,
  PublishRoute,
  PublishTariff,
  RegisterTenant,
} from './catalogue.decide.js';
import {
  evolvePublished,
  type PublicationEvent,
  type Published,
  routeStream,
  tariffStream,
  tenantStream,
  unpublished,
} from './publication.js';

interface Rule<C, E extends PublicationEvent> {
  stream(command: C): string;
  tenant(command: C): string;
  decide(state: Published<E>, command: C, now: number): Decision;
}

/** Loads what is published, lets the pure rule decide, appends at the version it decided on. */
function publisherFor<C extends object, E extends PublicationEvent>(
  command: Type<C>,
  rule: Rule<C, E>,
): Type<{ execute(message: C): Promise<void> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(CLOCK) private readonly clock: Clock,
    ) {}

    execute(message: C): Promise<void> {
      const place = { stream: rule.stream(message), tenant: rule.tenant(message) };
      return appendDecided(this.store, place, (stored) => {
        const state = (stored as unknown as readonly E[]).reduce<Published<E>>(evolvePublished, unpublished);
        return rule.decide(state, message, this.clock());
      });
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

@Module({
  providers: [
    publisherFor(RegisterTenant, {
      stream: ({ tenant }) => tenantStream(tenant.id),
      tenant: ({ tenant }) => tenant.id,
      decide: decideRegisterTenant,
    }),
    publisherFor(PublishRoute, {
      stream: ({ route }) => routeStream(route.tenant, route.id),
      tenant: ({ route }) => route.tenant,
      decide: decidePublishRoute,
    }),
    publisherFor(PublishTariff, {
      stream: ({ id, tenant }) => tariffStream(tenant, id),
      tenant: ({ tenant }) => tenant,
      decide: decidePublishTariff,
    }),
  ],
})
export class PricingModule {}
