import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import { z } from 'zod';
import { type SealConsistency, sealConsistency } from '../../base/event-store/seals/proof.js';
import { readSeals, type SealRecord } from '../../base/event-store/seals/seal-table.js';
import { POOL } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { parseQuery } from './input.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const NUMBER_MAX_DIGITS = 15;
const number = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const pairQuery = z
  .strictObject({ first: number, second: number })
  .refine(({ first, second }) => first < second, { path: ['second'], message: 'must be later than first' });

export interface SealView {
  readonly number: number;
  /** First and last position that it covers. */
  readonly from: string;
  readonly to: string;
  readonly sealed_at: string;
  /** Compact JWS: what counts. */
  readonly jws: string;
}

/** The signed statements over the log: what an auditor keeps, and the proof that what was kept still stands. */
@Controller('admin/v1/seals')
@UseGuards(AdminKeyGuard)
export class SealsController {
  constructor(@Inject(POOL) private readonly pool: Pool) {}

  /** By number. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<SealView>> {
    const { cursor, limit } = parseQuery(pageQuery.strict(), query);
    const after = cursor === undefined ? 0 : Number(decodeNumber(cursor, NUMBER_MAX_DIGITS));
    const rows = await readSeals(this.pool, after + 1, limit + 1);
    return pageOf(rows, limit, (seal) => [String(seal.number)], sealView);
  }

  /** What `tollbook-verify --consistency` checks. */
  @Get('consistency')
  async consistency(@Query() query: unknown): Promise<SealConsistency> {
    const { first, second } = parseQuery(pairQuery, query);
    const proof = await sealConsistency(this.pool, first, second);
    if (proof === undefined) throw new Problem('not_found', `There is no seal ${second} yet`);
    return proof;
  }
}

function sealView({ from, jws, number, sealedAt, to }: SealRecord): SealView {
  return { number, from: from.toString(), to: to.toString(), sealed_at: sealedAt.toISOString(), jws };
}
