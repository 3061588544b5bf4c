import { Inject, Injectable } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { VersionConflict } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Write } from '../../base/event-store/unit-of-work.js';
import { foldInvoice } from './invoice.evolve.js';
import { invoiceStream } from './invoice.js';
import { ApplyPrepaid, decidePrepaid, decideTakeBack, TakeBackPrepaid } from './prepaid.decide.js';
import { evolvePrepaid, noApplications, type PrepaidEvent, prepaidStream } from './prepaid.js';

/** Both streams move in one step, each from where it was when the balance was read: of two workers one is refused. */
@CommandHandler(ApplyPrepaid)
@Injectable()
export class ApplyPrepaidHandler {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  /** Whether it changed anything. */
  async execute(command: ApplyPrepaid): Promise<boolean> {
    const { customer, sequence, tenant, turn, version } = command;
    const stream = invoiceStream(tenant, customer, sequence);
    const events = await this.store.readStream(stream);
    if (events.length !== version) return false;
    const decision = decidePrepaid(foldInvoice(events)!, command);
    if (!decision) return false;
    const claim = { stream: prepaidStream(tenant, customer), expectedVersion: turn, event: decision.claim };
    const decide = () => ({ events: [decision.event] });
    return appended(this.store, { stream, tenant, expectedVersion: version, claim, decide });
  }
}

@CommandHandler(TakeBackPrepaid)
@Injectable()
export class TakeBackPrepaidHandler {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  /** Whether it changed anything. */
  async execute({ customer, tenant, turn }: TakeBackPrepaid): Promise<boolean> {
    const prepaid = prepaidStream(tenant, customer);
    const events = (await this.store.readStream(prepaid)) as unknown as readonly PrepaidEvent[];
    if (events.length !== turn) return false;
    const applications = events.reduce(evolvePrepaid, noApplications);
    const streamOf = (sequence: number) => invoiceStream(tenant, customer, sequence);
    const streams = await this.store.readStreams([...new Set(applications.map(({ sequence }) => streamOf(sequence)))]);
    const eventsOf = (sequence: number) => streams.get(streamOf(sequence))!;
    const taken = decideTakeBack(applications, (sequence) => foldInvoice(eventsOf(sequence))!);
    if (!taken) return false;
    const { claim, event } = taken;
    if (!event) {
      return appended(this.store, {
        ...{ stream: prepaid, tenant, expectedVersion: turn, decide: () => ({ events: [claim] }) },
      });
    }
    const { sequence } = claim.data;
    return appended(this.store, {
      ...{ stream: streamOf(sequence), tenant, expectedVersion: eventsOf(sequence).length },
      claim: { stream: prepaid, expectedVersion: turn, event: claim },
      decide: () => ({ events: [event] }),
    });
  }
}

/** `false`: somebody else was faster, and what was read does not hold any more. */
async function appended(store: EventStore, write: Write): Promise<boolean> {
  try {
    await store.append(write);
    return true;
  } catch (error) {
    if (error instanceof VersionConflict) return false;
    throw error;
  }
}

export const prepaidHandlers = [ApplyPrepaidHandler, TakeBackPrepaidHandler];
