import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { z } from 'zod';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import { matchSchema, statementQuery } from '../../domains/invoicing/bank/bank.schemas.js';
import { MatchBankLine, UndoBankLine } from '../../domains/invoicing/bank/bank-line.decide.js';
import { type KnownLine, knownLines, listLines, setIgnored } from '../../domains/invoicing/bank/bank-lines.queries.js';
import { readStatement } from '../../domains/invoicing/bank/statement.js';
import { importStatement, type LineResult } from '../../domains/invoicing/bank/statement-import.js';
import { Closer } from '../../domains/invoicing/closer.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { parseBody, parseQuery, tenantOf, text } from './input.js';
import { InvoiceReader } from './invoice-reader.js';
import { decodeCursor, noCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  state: z.enum(['matched', 'unmatched', 'ignored']).optional(),
});

interface Imported {
  readonly matched: number;
  readonly ambiguous: number;
  readonly unmatched: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly results: readonly LineResult[];
}

/** Statements of banks, and what of their lines is for which invoice. */
@Controller('admin/v1')
@UseGuards(AdminKeyGuard)
export class BankController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(Closer) private readonly closer: Closer,
    @Inject(InvoiceReader) private readonly reader: InvoiceReader,
  ) {}

  /** A file of `text/csv`. Each line counts once for ever, so it may be sent again; no key is needed. */
  @Post('bank-statements')
  @HttpCode(200)
  async import(@Query() query: unknown, @Body() body: unknown): Promise<Imported> {
    const layout = parseQuery(statementQuery, query);
    const tenant = await tenantOf(this.prisma, layout.tenant);
    if (!Buffer.isBuffer(body))
      throw new Problem('invalid_request', 'body: a file of Content-Type text/csv is asked for');
    const { clock, pool, store } = this;
    const ports = {
      ...{ clock, pool, store },
      execute: (command: MatchBankLine) => this.bus.execute(command),
      prefixOf: async (of: string) => (await this.closer.rulesOf(of)).numberPrefix,
    };
    const results = await importStatement(ports, tenant, readStatement(body, layout));
    const counts = { matched: 0, ambiguous: 0, unmatched: 0, duplicate: 0, rejected: 0 };
    for (const { result } of results) counts[result]++;
    return { ...counts, results };
  }

  /** The newest day first. */
  @Get('bank-lines')
  async list(@Query() query: unknown): Promise<Page<object>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 2);
    if (after && !/^\d{4}-\d{2}-\d{2}$/.test(after[0]!)) throw noCursor();
    return pageOf(await listLines(this.pool, filter, after, limit), limit, ({ line }) => [line.date, line.id], viewOf);
  }

  @Get('bank-lines/:id')
  async one(@Param('id') id: string): Promise<object> {
    return viewOf(await this.find(id));
  }

  /** By hand: an invoice that the text does not name, or the payment that a line below zero sent back. */
  @Post('bank-lines/:id/match')
  @HttpCode(200)
  @Idempotent('optional')
  async match(@Param('id') id: string, @Body() body: unknown): Promise<object> {
    const { invoice, payment } = parseBody(matchSchema, body);
    const { line, rounds, ...known } = await this.find(id);
    if (known.state === 'matched') {
      if (known.invoice === invoice) return this.one(id);
      throw new Problem('bank_line_taken');
    }
    const { customer, sequence, tenant } = (await this.reader.find(invoice)).invoice.drafted;
    if (tenant !== line.tenant) throw new Problem('unknown_invoice');
    await this.bus.execute(new MatchBankLine(tenant, customer, sequence, invoice, line, rounds + 1, payment));
    return this.one(id);
  }

  /** The line was not for that invoice: its payment is reversed, and it can be matched again. */
  @Post('bank-lines/:id/undo')
  @HttpCode(200)
  @Idempotent('optional')
  async undo(@Param('id') id: string): Promise<object> {
    const { invoice, line, reference, rounds, state } = await this.find(id);
    if (state !== 'matched') return this.one(id);
    if (line.amount < 0n) throw new Problem('bank_line_unmatched', 'What went back is not undone');
    const { customer, sequence, tenant } = (await this.reader.find(invoice!)).invoice.drafted;
    await this.bus.execute(new UndoBankLine(tenant, customer, sequence, id, rounds, reference!));
    return this.one(id);
  }

  /** Nothing of it concerns invoices. */
  @Post('bank-lines/:id/ignore')
  @HttpCode(200)
  @Idempotent('optional')
  async ignore(@Param('id') id: string): Promise<object> {
    if ((await this.find(id)).state === 'matched') throw new Problem('bank_line_taken');
    await setIgnored(this.pool, id, true);
    return this.one(id);
  }

  private async find(id: string): Promise<KnownLine> {
    const known = (await knownLines(this.pool, [id])).get(id);
    if (!known) throw new Problem('unknown_bank_line');
    return known;
  }
}

/** Amount in minor units. */
function viewOf({ invoice, line, reference, state }: KnownLine): object {
  const { account, amount, currency, date, id, tenant, text } = line;
  return {
    ...{ id, tenant, account, date, amount: amount.toString(), currency, text, state },
    ...(invoice !== undefined && { invoice, reference }),
  };
}
