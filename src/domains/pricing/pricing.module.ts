import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { VersionConflict } from '../../base/event-store/event.js';
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

const ATTEMPTS_MAX = 4;

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

    async execute(message: C): Promise<void> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.publish(message);
        } catch (error) {
          if (!(error instanceof VersionConflict) || attempt === ATTEMPTS_MAX) throw error;
        }
      }
    }

    private async publish(message: C): Promise<void> {
      const stream = rule.stream(message);
      const stored = (await this.store.readStream(stream)) as unknown as readonly E[];
      const state = stored.reduce<Published<E>>(evolvePublished, unpublished);
      const decision = rule.decide(state, message, this.clock());
      if (decision.events.length === 0) return;
      const write = { stream, tenant: rule.tenant(message), expectedVersion: state.version, decide: () => decision };
      await this.store.append(write);
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
