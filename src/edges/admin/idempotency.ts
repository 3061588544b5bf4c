import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import { lastValueFrom, type Observable, of } from 'rxjs';
import type { Logger } from '../../base/platform/logger.js';
import type { Secrets } from '../../base/platform/secrets.js';
import { LOGGER, POOL, SECRETS } from '../../base/platform/tokens.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { Problem } from '../../base/shared/problem.js';
import type { StoredAnswer } from '../../domains/payments/answers.js';
import { type Claim, IdempotencyStore } from './idempotency.store.js';
import { idempotencyKeyOf, keyedRequest } from './idempotency-key.js';

const RULE = Symbol('Idempotent');
const PURGE_MS = 60_000;
/** Seconds after which it is worth asking again for the answer of a request that still runs. */
const RETRY_AFTER = '1';
/** Of the answer, besides its content: what a client acts upon. */
const KEPT_HEADERS = ['content-type', 'etag', 'location'];

/** Makes a write repeatable by `Idempotency-Key`. `required`: sent twice without one, it would be done twice. */
export function Idempotent(rule: 'required' | 'optional') {
  return applyDecorators(SetMetadata(RULE, rule), UseInterceptors(Idempotency));
}

/**
 * Runs the first request with a key and keeps its answer; repeats get that answer. A refusal is not kept, because nothing was
 * done: the same request may be tried again under the same key. What runs must bear to be run again, for if this process dies
 * before it has kept the answer, a repeat runs it once more.
 */
@Injectable()
export class Idempotency implements NestInterceptor, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly store: IdempotencyStore;
  private readonly loop: WakeLoop;

  constructor(
    @Inject(POOL) pool: Pool,
    @Inject(SECRETS) secrets: Secrets,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {
    this.store = new IdempotencyStore(pool, secrets.answerKey);
    this.loop = new WakeLoop('idempotency keys', () => this.store.purge(), PURGE_MS, log);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const key = idempotencyKeyOf(request);
    if (key !== undefined) return of(await this.once(keyedRequest(request, key), reply, next));
    if (this.reflector.get(RULE, context.getHandler()) === 'required') throw new Problem('idempotency_key_required');
    return next.handle();
  }

  private async once(request: ReturnType<typeof keyedRequest>, reply: FastifyReply, next: CallHandler) {
    const claim = await this.store.claim(request);
    switch (claim.kind) {
      case 'run':
        return this.run(claim, reply, next);
      case 'replay':
        return replay(claim.answer, reply);
      case 'reused':
        throw new Problem('idempotency_key_reused');
      case 'in_progress':
        throw new Problem('idempotency_key_in_progress', undefined, { 'Retry-After': RETRY_AFTER });
    }
  }

  private async run(claim: Extract<Claim, { kind: 'run' }>, reply: FastifyReply, next: CallHandler) {
    try {
      const value: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      const answer = answerOf(value, reply);
      await this.store.keep(claim, answer).catch((error) => this.lost(error, 'an answer could not be kept'));
      return answer.body.length === 0 ? undefined : answer.body;
    } catch (error) {
      await this.store.release(claim).catch((cause) => this.lost(cause, 'a key could not be released'));
      throw error;
    }
  }

  /** A repeat finds the key taken until the lease ends, and is then run itself. */
  private lost(error: Error, what: string): void {
    this.log.warn({ err: error.message }, what);
  }
}

/** As bytes, and sent as those: then a repeat has the very same. */
function answerOf(value: unknown, reply: FastifyReply): StoredAnswer {
  const body = value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
  if (body.length > 0) void reply.header('Content-Type', 'application/json; charset=utf-8');
  const headers = KEPT_HEADERS.flatMap((name): [string, string][] => {
    const field = reply.getHeader(name);
    return field === undefined ? [] : [[name, String(field)]];
  });
  return { status: reply.statusCode, headers, body };
}

function replay({ body, headers, status }: StoredAnswer, reply: FastifyReply): Buffer | undefined {
  void reply.status(status).headers(Object.fromEntries(headers)).header('Idempotent-Replayed', 'true');
  return body.length === 0 ? undefined : body;
}
