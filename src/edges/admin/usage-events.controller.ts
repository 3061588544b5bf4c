import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { listUsageEvents, type UsageEventView, usageEventKey } from '../../domains/metering/usage-events.queries.js';
import { type TotalKey, totalKey, type UsageTotal, usageTotals } from '../../domains/metering/usage-totals.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseQuery, tenantOf, text } from './input.js';
import { decodeCursor, noCursor, type Page, pageOf, pageQuery } from './paging.js';

const eventsQuery = pageQuery.extend({
  customer: text(128).optional(),
  source: text(400).optional(),
  id: text(200).optional(),
  from: instant.optional(),
  to: instant.optional(),
});

const totalsQuery = pageQuery.extend({
  customer: text(128).optional(),
  meter: text().optional(),
  /** When it was used: from, inclusive, and to, exclusive. Without them, the UTC month so far. */
  from: instant.optional(),
  to: instant.optional(),
  per: z.enum(['day', 'whole']).default('whole'),
});

/** Usage events that a tenant's servers sent, and what they add up to. */
@Controller('admin/v1/usage/:tenant')
@UseGuards(AdminKeyGuard)
export class UsageEventsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Latest use first; what was replaced is there as well, and says by what. */
  @Get('events')
  async events(@Param('tenant') id: string, @Query() query: unknown): Promise<Page<UsageEventView>> {
    const { cursor, limit, ...filter } = parseQuery(eventsQuery, query);
    const tenant = await tenantOf(this.prisma, id);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 3);
    if (after !== undefined && Number.isNaN(Date.parse(after[0]!))) throw noCursor();
    const rows = await listUsageEvents(this.pool, { ...filter, tenant }, after as never, limit);
    return pageOf(rows, limit, usageEventKey, (row) => row);
  }

  /** By customer, meter and day, from the events as they are now: what was acknowledged is counted. */
  @Get('totals')
  async totals(@Param('tenant') id: string, @Query() query: unknown): Promise<Page<UsageTotal>> {
    const { cursor, from, limit, to, ...filter } = parseQuery(totalsQuery, query);
    const now = new Date(this.clock());
    const tenant = await tenantOf(this.prisma, id);
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    const next = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
    const of = { ...filter, tenant, from: from ?? month, to: to ?? next };
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 3) as unknown as TotalKey);
    return pageOf(await usageTotals(this.pool, of, after, limit), limit, totalKey, (row) => row);
  }
}
