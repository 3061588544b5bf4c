import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { z } from 'zod';
import { CLOCK, POOL } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Hex, Network } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { ExplainTransfer } from '../../domains/payments/transfer.decide.js';
import { explanations } from '../../domains/payments/transfer.js';
import {
  findReceipt,
  listTransfersOfWallets,
  type TransferKey,
  type TransferRow,
  transferKeyOf,
  transferKinds,
  transferStates,
} from '../../domains/settlement/transfers.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { instant, parseBody, parseQuery, text } from './input.js';
import { decodeCursor, noCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  network: text().optional(),
  kind: z.enum(transferKinds).optional(),
  state: z.enum(transferStates).optional(),
});

const resolveBody = z.strictObject({ as: z.enum(explanations) });

/** Number of the chain, transaction, place of its log in the block. */
const ID = /^(\d{1,20})_(0x[0-9a-f]{64})_(\d{1,9})$/i;

interface TransferView {
  readonly id: string;
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
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<TransferView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : keyOf(cursor);
    const rows = await listTransfersOfWallets(this.pool, filter, after, limit);
    return pageOf(rows, limit, transferKeyOf, (row) => transferView(row, this.clock()));
  }

  /** Says what a receipt was that no payment explains, or something else than was said before. The same again changes nothing. */
  @Post(':id/resolve')
  @HttpCode(200)
  @Idempotent('optional')
  async resolve(@Param('id') id: string, @Body() body: unknown): Promise<TransferView> {
    const { as } = parseBody(resolveBody, body);
    const place = placeOf(id);
    const { tenant } = await this.receipt(place);
    await this.bus.execute(new ExplainTransfer(tenant, place, as));
    return transferView(await this.receipt(place), this.clock());
  }

  private async receipt(place: Place): Promise<TransferRow> {
    const row = await findReceipt(this.pool, place);
    if (!row) throw new Problem('not_found', 'No such receipt');
    return row;
  }
}

type Place = ExplainTransfer['transfer'];

function placeOf(id: string): Place {
  const [, chain, transaction, logIndex] = ID.exec(id) ?? [];
  if (!transaction) throw new Problem('not_found', 'No such receipt');
  const network: Network = `eip155:${chain}` as Network;
  return { network, transaction: transaction.toLowerCase() as Hex, logIndex: Number(logIndex) };
}

function idOf({ logIndex, network, transaction }: TransferRow): string {
  return `${network.slice('eip155:'.length)}_${transaction}_${logIndex}`;
}

function keyOf(cursor: string): TransferKey {
  const key = decodeCursor(cursor, 5);
  if (!instant.safeParse(key[0]).success || !/^\d{1,9}$/.test(key[3]!)) throw noCursor();
  return key as unknown as TransferKey;
}

function transferView(whole: TransferRow, now: number): TransferView {
  const { foundAt, logIndex, blockHash, blockNumber, payment, ...row } = whole;
  const place = { log_index: logIndex, block_number: blockNumber, block_hash: blockHash };
  const found = {
    found_at: foundAt.toISOString(),
    age_seconds: Math.max(0, Math.floor((now - foundAt.getTime()) / 1000)),
  };
  return { id: idOf(whole), ...row, ...place, payment, ...found, what_to_do: whatToDo(row, payment) };
}

function whatToDo({ kind, state }: Pick<TransferRow, 'kind' | 'state'>, payment: string | null): string {
  if (state === 'in_flight') return 'Nothing: its payment is under way and will explain it.';
  if ((explanations as readonly string[]).includes(state)) return 'Nothing: somebody has said what it was.';
  if (state !== 'found') return 'Nothing: it is not in the books as this any more.';
  if (kind === 'withdrawal') return 'If it gave money back, record it as a refund of the payment; otherwise nothing.';
  return payment === null
    ? 'Ask the sender what it is for, or send it back, then resolve it; until then it is owed to the sender.'
    : 'Its payment did not count: send it back, or deliver what was paid for, then resolve it; until then it is owed to the sender.';
}
