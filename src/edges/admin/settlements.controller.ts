import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Chains } from '../../base/chain/chains.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { CHAINS, POOL } from '../../base/platform/tokens.js';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { Network } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { settlementStatuses } from '../../domains/settlement/settlement-status.js';
import {
  feesOf,
  findSettlement,
  listSettlements,
  type SettlementKey,
  type SettlementRow,
  settlementKey,
} from '../../domains/settlement/settlements.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseQuery, text } from './input.js';
import { decodeCursor, noCursor, type Page, pageOf, pageQuery } from './paging.js';
import { type SettlementView, settlementView } from './settlement.view.js';

const HASH = /^0x[0-9a-f]{64}$/i;
/** Milliseconds; the list is worth more than the confirmations in it. */
const HEAD_MS = 2_000;

const listQuery = pageQuery.extend({
  network: text().optional(),
  settler: text().toLowerCase().optional(),
  status: z.enum(settlementStatuses).optional(),
  payment: text().optional(),
  since: instant.optional(),
});

/** The transactions that carry payments to the chain: one item for each nonce of a settler. */
@Controller('admin/v1/settlements')
@UseGuards(AdminKeyGuard)
export class SettlementsController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(CHAINS) private readonly chains: Chains,
  ) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<SettlementView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : keyOf(cursor);
    const rows = await listSettlements(this.pool, filter, after, limit);
    const view = await this.viewOf(rows.slice(0, limit));
    return pageOf(rows, limit, cursorOf, view);
  }

  /** By the hash of any of its attempts. */
  @Get(':hash')
  async one(@Param('hash') hash: string): Promise<SettlementView> {
    const found = HASH.test(hash) ? await findSettlement(this.pool, hash.toLowerCase()) : undefined;
    if (found === undefined) throw new Problem('not_found');
    return (await this.viewOf([found]))(found);
  }

  private async viewOf(rows: readonly SettlementRow[]): Promise<(row: SettlementRow) => SettlementView> {
    const [fees, heads] = await Promise.all([feesOf(this.pool, this.store, rows), this.headsFor(rows)]);
    return (row) => settlementView(row, fees, heads.get(row.network));
  }

  /** Numbers of the newest blocks, by network; of those that somebody needs, and whose chain answers. */
  private async headsFor(rows: readonly SettlementRow[]): Promise<ReadonlyMap<string, bigint>> {
    const inBlocks = rows.filter(({ attempts }) => attempts.some(({ blockHash }) => blockHash));
    const networks = new Set(inBlocks.map(({ network }) => network));
    const heads = await Promise.all(
      [...networks].map(async (network) => ({ network, head: await this.headOf(network) })),
    );
    return new Map(heads.flatMap(({ head, network }) => (head === undefined ? [] : [[network, head] as const])));
  }

  private async headOf(network: Network): Promise<bigint | undefined> {
    const asked = this.chains.get(network)?.client.getBlockNumber({ cacheTime: 0 });
    return asked && withTimeout(asked, HEAD_MS, 'the chain did not answer in time').catch(() => undefined);
  }
}

function cursorOf(row: SettlementRow): readonly string[] {
  const { createdAt, hash } = settlementKey(row);
  return [createdAt, hash];
}

function keyOf(cursor: string): SettlementKey {
  const [createdAt, hash] = decodeCursor(cursor, 2) as [string, string];
  if (!instant.safeParse(createdAt).success) throw noCursor();
  return { createdAt, hash };
}
