import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ChainUnavailable } from '../base/chain/chain.js';
import { PayerDenied } from '../base/event-store/standings.js';
import type { Logger } from '../base/platform/logger.js';
import { LOGGER } from '../base/platform/tokens.js';
import { Problem, type ProblemCode } from '../base/shared/problem.js';

const codesByStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'request_too_large',
};

/** Every error leaves as `application/problem+json` (RFC 9457). What we did not expect is logged and stays vague. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = asProblem(error);
    if (problem.status >= 500) this.log.error({ err: (error as Error).message, code: problem.code }, 'request failed');
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (problem.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
    void reply.headers(problem.headers);
    // As bytes: to a text the framework would add a charset, which this media type does not have (RFC 9457, section 3).
    const body = Buffer.from(JSON.stringify(problem));
    void reply.status(problem.status).header('Content-Type', 'application/problem+json').send(body);
  }
}

/** Maps whatever was thrown to a problem. A database or a chain that cannot be reached is a refusal, not a mystery. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PayerDenied) return new Problem('payer_denied');
  if (error instanceof ChainUnavailable) return new Problem('chain_unavailable');
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: number }).statusCode;
  const code = status === undefined ? undefined : codesByStatus[status];
  if (code) return new Problem(code, (error as Error).message);
  if (status !== undefined && status >= 400 && status < 500)
    return new Problem('invalid_request', (error as Error).message);
  if (sqlStateOf(error) === UNSTORABLE_TEXT) return new Problem('invalid_request', 'A text holds a zero byte');
  return isStoreFailure(error) ? new Problem('store_unavailable') : new Problem('internal_error');
}

/** SQLSTATE of text that Postgres cannot hold (character_not_in_repertoire): it came with the request. */
const UNSTORABLE_TEXT = '22021';
/** SQLSTATE classes 08, 53, 57 and 58: no connection, no resources, an operator or a timeout, the machine; 25006: a standby. */
const STORE_STATES = /^(?:08|53|57|58)[0-9A-Z]{3}$|^25(?:006|P03)$/;
const NETWORK_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);
const DRIVER_WORDS =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|not queryable/;

function isStoreFailure(error: unknown): boolean {
  const { message = '' } = error as { message?: string };
  const code = sqlStateOf(error);
  return STORE_STATES.test(code) || NETWORK_ERRORS.has(code) || DRIVER_WORDS.test(message);
}

/** Of an error of the driver itself, or of one that Prisma wrapped; other codes come as they are, none is empty. */
function sqlStateOf(error: unknown): string {
  const { code, meta } = error as {
    code?: string;
    meta?: { driverAdapterError?: { cause?: { originalCode?: string } } };
  };
  return meta?.driverAdapterError?.cause?.originalCode ?? code ?? '';
}
