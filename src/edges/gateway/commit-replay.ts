import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import { encodeCommitment } from '../../base/x402/payment-response.js';
import type { AnswerStore } from '../../domains/payments/answers.js';
import { loadCommitment } from '../../domains/payments/commitment.handlers.js';
import type { Commitment, CommitmentId } from '../../domains/payments/commitment.js';
import { releaseProblems } from './replay.js';
import { answerHead } from './reply.js';

/** How often a repeat looks whether the first presentation has its answer, in milliseconds. */
const LOOK_MS = 100;
/** How much longer than the route's own timeout it waits, in milliseconds. */
const SLACK_MS = 5_000;

export interface CommitReplayParts {
  readonly store: EventStore;
  readonly answers: AnswerStore;
  readonly clock: Clock;
}

type Begun = Exclude<Commitment, { status: 'unknown' }>;

/** Answers a commitment that was presented before, from what is kept. */
export class CommitReplay {
  constructor(private readonly parts: CommitReplayParts) {}

  async find(id: CommitmentId): Promise<Begun | undefined> {
    const { state } = await loadCommitment(this.parts.store, id);
    return state.status === 'unknown' ? undefined : state;
  }

  /**
   * The same answer, if it is the same signed request; waits while that runs.
   * @param signed base64url SHA-256 of its signature base @param timeoutMs of the route
   * @throws Problem 409, or what there was instead of an answer
   */
  async answer(
    id: CommitmentId,
    found: Begun,
    signed: string,
    timeoutMs: number,
    reply: ServerResponse,
  ): Promise<void> {
    if (found.accepted.signed !== signed) throw new Problem('commitment_nonce_reused');
    const state = await this.ended(id, found, timeoutMs);
    if (state.status === 'running') throw new Problem('delivery_in_progress');
    if (state.status === 'interrupted') throw new Problem('delivery_interrupted');
    const kept = await this.parts.answers.read(id, this.parts.clock());
    if (!kept) {
      const reason = state.status === 'released' ? releaseProblems[state.released.reason] : 'answer_not_kept';
      throw new Problem(reason);
    }
    if (reply.destroyed) return;
    const { amount, customer } = state.accepted;
    const charged = state.status === 'delivered' ? BigInt(state.delivered.charged) : 0n;
    const ours = encodeCommitment({ commitment: id, customer, charged, held: BigInt(amount) });
    reply.writeHead(kept.status, answerHead(reply, kept.headers, ours));
    reply.end(kept.body);
  }

  private async ended(id: CommitmentId, found: Begun, timeoutMs: number): Promise<Begun> {
    let state = found;
    for (let left = timeoutMs + SLACK_MS; state.status === 'running' && left > 0; left -= LOOK_MS) {
      await setTimeout(LOOK_MS);
      state = (await this.find(id)) ?? state;
    }
    return state;
  }
}
