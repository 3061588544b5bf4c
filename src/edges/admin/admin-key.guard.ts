import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Secrets } from '../../base/platform/secrets.js';
import { SECRETS } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';

const BEARER = /^Bearer ([\x21-\x7e]+)$/;

/** Lets in only who sends `Authorization: Bearer <admin key>`. */
@Injectable()
export class AdminKeyGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor(@Inject(SECRETS) secrets: Secrets) {
    this.expected = digest(secrets.adminKey);
  }

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const sent = BEARER.exec(headers.authorization ?? '')?.[1];
    if (sent === undefined || !timingSafeEqual(digest(sent), this.expected)) throw new Problem('unauthorized');
    return true;
  }
}

/** Equal lengths for the comparison, whatever was sent. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
