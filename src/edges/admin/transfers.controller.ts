import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import { z } from 'zod';
import { CLOCK, POOL } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import {
  listTransfersOfWallets,
  type TransferKey,
  type TransferRow,
  transferKeyOf,
  transferKinds,
  transferStates,
} from '../../domains/settlement/transfers.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseQuery, text } from './input.js';
import { decodeCursor, noCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  network: text().optional(),
  kind: z.enum(transferKinds).optional(),
  state: z.enum(transferStates).optional(),
});

interface TransferView {
  readonly tenant: string;
  readonly kind: string;
  readonly state: string;
  readonly network: string;
  readonly asset: string;
  readonly wallet: string;
  /** Who sent it, or to whom it went. */
  readonly counterparty: string;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: string;
  readonly log_index: number;
  readonly block_number: string;
  readonly block_hash: string;
  /** The payment that its authorization can be used for; there may be none of that id. */
  readonly payment: string | null;
  readonly found_at: string;
  readonly age_seconds: number;
  readonly what_to_do: string;
}

/** Transfers into and out of the tenants' wallets that no payment or refund explained when they were seen. */
@Controller('admin/v1/transfers')
@UseGuards(AdminKeyGuard)
export class TransfersController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<TransferView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : keyOf(cursor);
    const rows = await listTransfersOfWallets(this.pool, filter, after, limit);
    return pageOf(rows, limit, transferKeyOf, (row) => transferView(row, this.clock()));
  }
}

function keyOf(cursor: string): TransferKey {
  const key = decodeCursor(cursor, 5);
  if (!instant.safeParse(key[0]).success || !/^\d{1,9}$/.test(key[3]!)) throw noCursor();
  return key as unknown as TransferKey;
}

function transferView(
  { foundAt, logIndex, blockHash, blockNumber, payment, ...row }: TransferRow,
  now: number,
): TransferView {
  const place = { log_index: logIndex, block_number: blockNumber, block_hash: blockHash };
  const found = {
    found_at: foundAt.toISOString(),
    age_seconds: Math.max(0, Math.floor((now - foundAt.getTime()) / 1000)),
  };
  return { ...row, ...place, payment, ...found, what_to_do: whatToDo(row, payment) };
}

function whatToDo({ kind, state }: Pick<TransferRow, 'kind' | 'state'>, payment: string | null): string {
  if (state === 'in_flight') return 'Nothing: its payment is under way and will explain it.';
  if (state !== 'found') return 'Nothing: it is not in the books as this any more.';
  if (kind === 'withdrawal') return 'If it gave money back, record it as a refund of the payment; otherwise nothing.';
  return payment === null
    ? 'Ask the sender what it is for, or send it back; until then it is owed to the sender.'
    : 'Its payment did not count: send it back, or deliver what was paid for; until then it is owed to the sender.';
}
