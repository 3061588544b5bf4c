import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { VersionConflict } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { type GrantedHold, HoldsRefused } from '../../base/event-store/unit-of-work.js';
import {
  AcceptCommitment,
  type CommitmentPlan,
  decideAccept,
  decideDelivered,
  decideInterrupted,
  decideReleased,
  InterruptCommitment,
  RecordCommitment,
  ReleaseCommitment,
} from './commitment.decide.js';
import {
  type Commitment,
  type CommitmentEvent,
  type CommitmentId,
  commitmentStream,
  evolveCommitment,
  newCommitment,
} from './commitment.js';

/** Where a commitment stands after a command, and the hard holds that were taken with it. */
export interface CommitmentAfter {
  readonly state: Commitment;
  readonly granted?: readonly GrantedHold[];
}

interface CommitmentCommand {
  readonly id: CommitmentId;
  readonly accepted?: AcceptCommitment['accepted'];
  readonly known?: Commitment;
}

/** Accepted and ended: a third event never fits, so the second look decides. */
const ATTEMPTS_MAX = 3;

/** Loads the commitment, unless it is known how it stands, lets the pure rule decide, appends at the version it decided on. */
function commitmentHandler<C extends CommitmentCommand>(
  command: Type<C>,
  decide: (state: Commitment, message: C) => CommitmentPlan,
): Type<{ execute(message: C): Promise<CommitmentAfter> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(@Inject(EventStore) private readonly store: EventStore) {}

    /** @throws HoldsRefused, AccountChanged, Problem */
    async execute(message: C): Promise<CommitmentAfter> {
      let before = message.accepted ? NEW : message.known ? { state: message.known, version: 1 } : undefined;
      for (let attempt = 1; ; attempt++) {
        before ??= await loadCommitment(this.store, message.id);
        const { decision, ...rest } = decide(before.state, message);
        const events = decision.events as readonly CommitmentEvent[];
        if (events.length === 0) return { state: before.state };
        const tenant = message.accepted?.tenant ?? tenantOf(before.state);
        const place = { stream: commitmentStream(message.id), tenant, expectedVersion: before.version };
        try {
          const { granted } = await this.store.append({ ...place, ...rest, decide: () => decision });
          return { state: events.reduce(evolveCommitment, before.state), granted };
        } catch (error) {
          // What took the last of a credit line may be this very request, sent twice at once.
          const lost = error instanceof VersionConflict || (error instanceof HoldsRefused && message.accepted);
          if (!lost || attempt === ATTEMPTS_MAX) throw error;
          const now = await loadCommitment(this.store, message.id);
          if (now.version === before.version) throw error;
          before = now;
        }
      }
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

const NEW = { state: newCommitment, version: 0 };

export async function loadCommitment(store: Pick<EventStore, 'readStream'>, id: CommitmentId) {
  const events = (await store.readStream(commitmentStream(id))) as unknown as readonly CommitmentEvent[];
  return { state: events.reduce(evolveCommitment, newCommitment), version: events.length };
}

function tenantOf(state: Commitment): string {
  if (state.status === 'unknown') throw new Error('a commitment begins with its acceptance');
  return state.accepted.tenant;
}

export const commitmentHandlers = [
  commitmentHandler(AcceptCommitment, decideAccept),
  commitmentHandler(RecordCommitment, decideDelivered),
  commitmentHandler(ReleaseCommitment, decideReleased),
  commitmentHandler(InterruptCommitment, decideInterrupted),
];
