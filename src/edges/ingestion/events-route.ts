import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, type ProblemError, problems } from '../../base/shared/problem.js';
import type { Rejection, UsageResult } from '../../domains/metering/usage-batch.js';
import type { UsageIngestion } from '../../domains/metering/usage-ingestion.js';
import { pointerTo } from '../admin/input.js';
import { asProblem } from '../problem.js';
import { type SentEvents, sentEvents } from './cloud-events-http.js';
import { InFlight } from './in-flight.js';

/** Bytes of one request. */
export const BODY_MAX = 8_388_608;
/** Seconds after which a sender should try again. */
const RETRY_AFTER = '2';
const BEARER = /^Bearer ([\x21-\x7e]+)$/;

export interface EventsRouteParts {
  readonly ingestion: Pick<UsageIngestion, 'ingest'>;
  /** Whose ingestion key it is. */
  readonly tenantWithKey: (key: string) => Promise<string | undefined>;
  /** Tells what we did not expect. */
  readonly onError: (problem: Problem, error: unknown) => void;
}

/**
 * `POST /v1/events`: usage events as CloudEvents 1.0 over HTTP, by an ingestion key of the tenant. Beside the framework's
 * controllers, because bodies are read by a parser that keeps all digits, and other ones are refused before they are read.
 */
export function eventsRoute({ ingestion, onError, tenantWithKey }: EventsRouteParts) {
  const inFlight = new InFlight();
  const tenants = new WeakMap<FastifyRequest, string>();

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { headers, query } = request;
    const atomic = atomicIn(query as Record<string, unknown>);
    const tenant = tenants.get(request)!;
    const body = (request.body as Uint8Array | undefined) ?? new Uint8Array();
    const sent = sentEvents({ headers, rawHeaders: request.raw.rawHeaders, body });
    const results = await ingestion.ingest(tenant, sent.events, { atomic });
    return sent.form === 'batch' ? batchAnswer(sent, results, atomic, reply) : singleAnswer(sent, results[0]!);
  }

  async function tenantOf(authorization: string | undefined): Promise<string> {
    const key = BEARER.exec(authorization ?? '')?.[1];
    const tenant = key === undefined ? undefined : await tenantWithKey(key);
    if (tenant === undefined) throw new Problem('ingestion_key_required');
    return tenant;
  }

  return async (fastify: FastifyInstance): Promise<void> => {
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_MAX }, (_request, body, done) => {
      done(null, body);
    });
    fastify.addHook('onRequest', async (request, reply) => {
      const bytes = Number(request.headers['content-length'] ?? BODY_MAX);
      const leave = inFlight.enter(Math.min(bytes, BODY_MAX));
      if (leave === undefined) throw new Problem('ingestion_busy');
      reply.raw.once('close', leave);
      tenants.set(request, await tenantOf(request.headers.authorization));
    });
    fastify.setErrorHandler((error, _request, reply) => {
      const problem = asProblem(error);
      if (problem.status >= 500) onError(problem, error);
      if (problem.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
      if (problem.status === 503) void reply.header('Retry-After', RETRY_AFTER);
      void reply.status(problem.status).header('Content-Type', 'application/problem+json');
      return reply.send(Buffer.from(JSON.stringify(problem)));
    });
    fastify.post('/v1/events', { bodyLimit: BODY_MAX }, handle);
  };
}

function atomicIn({ atomic = 'false', ...others }: Record<string, unknown>): boolean {
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new Problem('invalid_request', undefined, {}, [{ detail: 'is not known', parameter: other }]);
  }
  if (atomic === 'true' || atomic === 'false') return atomic === 'true';
  throw new Problem('invalid_request', undefined, {}, [{ detail: 'must be true or false', parameter: 'atomic' }]);
}

function singleAnswer(sent: SentEvents, result: UsageResult): object {
  if (result.result !== 'rejected') return result;
  throw new Problem(result.reason, undefined, {}, [errorOf(sent, 0, result)]);
}

/** 207 says that one should look at the results. */
function batchAnswer(
  sent: SentEvents,
  results: readonly (UsageResult | undefined)[],
  atomic: boolean,
  reply: FastifyReply,
): object {
  const counts = { accepted: 0, duplicate: 0, rejected: 0 };
  for (const one of results) if (one) counts[one.result]++;
  if (counts.rejected > 0 && atomic) throw refusedBatch(sent, results);
  if (counts.rejected > 0) void reply.status(207);
  return {
    ...counts,
    results: results.map((one, index) => (one?.result === 'rejected' ? rejected(sent, index, one) : one)),
  };
}

function rejected(sent: SentEvents, index: number, { reason, result, ...rest }: Rejection): object {
  return { result, reason, ...errorOf(sent, index, { reason, result, ...rest }) };
}

/** All that is rejected, by its place. */
function refusedBatch(sent: SentEvents, results: readonly (UsageResult | undefined)[]): Problem {
  const errors = results.flatMap((one, index) => (one?.result === 'rejected' ? [errorOf(sent, index, one)] : []));
  return new Problem('usage_batch_refused', undefined, {}, errors);
}

/** In binary form attributes are headers, which no pointer reaches. */
function errorOf({ form }: SentEvents, index: number, { detail, path = [], reason }: Rejection): ProblemError {
  const text = detail ?? problems[reason][1];
  if (form === 'batch') return { detail: text, pointer: pointerTo([index, ...path]) };
  if (form === 'structured') return { detail: text, pointer: pointerTo(path) };
  if (path[0] === 'data') return { detail: text, pointer: pointerTo(path.slice(1)) };
  return { detail: path.length === 0 ? text : `ce-${String(path[0])}: ${text}` };
}
