import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { listUsage, type UsageKey, type UsageView, usageKey, usageView } from '../../domains/metering/usage.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { parseQuery, text } from './input.js';
import { decodeCursor, noCursor, type Page, pageOf, pageQuery } from './paging.js';

/** Postgres has no year 0. */
const day = z.iso.date().refine((text) => !text.startsWith('0000'), 'must be within the years 1 to 9999');

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  route: text().optional(),
  payer: text().toLowerCase().optional(),
  /** First and last UTC day, both included. */
  from: day.optional(),
  to: day.optional(),
});

/** Delivered requests per tenant, route, payer, asset and UTC day. */
@Controller('admin/v1/usage')
@UseGuards(AdminKeyGuard)
export class UsageController {
  constructor(@Inject(PRISMA) private readonly prisma: Prisma) {}

  /** Newest day first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<UsageView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const rows = await listUsage(this.prisma, filter, cursor === undefined ? undefined : keyOf(cursor), limit);
    return pageOf(rows, limit, usageKey, usageView);
  }
}

function keyOf(cursor: string): UsageKey {
  const key = decodeCursor(cursor, 5) as unknown as UsageKey;
  if (!day.safeParse(key[4]).success) throw noCursor();
  return key;
}
