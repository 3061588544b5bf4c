import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { CardAccounts } from '../../domains/settlement/cards/card-accounts.js';
import { chargeOf, waitingFor } from '../../domains/settlement/cards/card-charges.queries.js';
import type { CardDesk } from '../../domains/settlement/cards/card-desk.js';
import type { CardHint } from '../../domains/settlement/cards/card-processor.js';
import { asProblem } from '../problem.js';

/** Bytes of one event of a processor. */
const BODY_MAX = 1_048_576;

export interface WebhooksRouteParts {
  readonly accounts: Pick<CardAccounts, 'webhookOf'>;
  readonly desk: Pick<CardDesk, 'heard' | 'setup'>;
  readonly pool: Pick<Pool, 'query'>;
  readonly clock: Clock;
  /** Tells what we did not expect. */
  readonly onError: (problem: Problem, error: unknown) => void;
}

/**
 * `POST /-/webhooks/stripe/{tenant}`: what a processor posts is a hint; what became of a charge the processor is asked. Beside the
 * framework's controllers, because the signature is over the bytes that were sent.
 */
export function webhooksRoute({ accounts, clock, desk, onError, pool }: WebhooksRouteParts) {
  async function handle(request: FastifyRequest): Promise<object> {
    const { tenant } = request.params as { readonly tenant: string };
    const webhook = await accounts.webhookOf(tenant);
    if (webhook === undefined) throw new Problem('not_found', 'Nobody here waits for these events');
    const header = request.headers['stripe-signature'];
    const signature = typeof header === 'string' ? header : undefined;
    const hint = await webhook.read((request.body as Buffer) ?? Buffer.alloc(0), signature, new Date(clock()));
    if (hint === 'bad_signature') throw new Problem('webhook_signature_invalid');
    if (!(await follow(tenant, hint))) throw new Problem('card_processor_unavailable');
    return { received: true };
  }

  /** Whether all that it told of is written down. Of what is not here there is nothing to write. */
  async function follow(tenant: string, { charge, processorId, setup }: CardHint): Promise<boolean> {
    const id = charge ?? (processorId && (await chargeOf(pool, tenant, processorId)));
    // Sent again by the processor, until nothing is under way that it could be of.
    if (id === 'unknown') return false;
    if (id && (await desk.heard(tenant, id)) === 'unknown') return false;
    const customer = setup && (await waitingFor(pool, tenant, setup));
    return !customer || (await desk.setup(tenant, customer)) !== 'unknown';
  }

  return async (fastify: FastifyInstance): Promise<void> => {
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_MAX }, (_request, body, done) => {
      done(null, body);
    });
    fastify.setErrorHandler((error, _request, reply) => {
      const problem = asProblem(error);
      if (problem.status >= 500) onError(problem, error);
      void reply.status(problem.status).header('Content-Type', 'application/problem+json');
      return reply.send(Buffer.from(JSON.stringify(problem)));
    });
    fastify.post('/-/webhooks/stripe/:tenant', { bodyLimit: BODY_MAX }, handle);
  };
}
