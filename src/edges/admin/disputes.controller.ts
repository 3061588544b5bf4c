import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { documentPdf } from '../../domains/invoicing/documents/document-pdf.js';
import { CardAccounts } from '../../domains/settlement/cards/card-accounts.js';
import { NoteDisputeEvidence } from '../../domains/settlement/cards/card-charge.decide.js';
import {
  type DisputeView,
  disputeKey,
  disputeView,
  findDispute,
  listDisputes,
} from '../../domains/settlement/cards/card-charges.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { DisputeEvidenceReader, type EvidenceBundle, evidenceDigest, evidenceText } from './dispute-evidence.js';
import { Idempotent } from './idempotency.js';
import { parseBody, parseQuery, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  customer: text().optional(),
  invoice: text().optional(),
  state: z.enum(['open', 'won', 'lost']).optional(),
});

const evidenceBody = z.strictObject({
  /** What the seller says to it. */
  statement: z.string().min(1).max(5_000),
});

/** Disputes of charges: what customers' banks asked back. */
@Controller('admin/v1/disputes')
@UseGuards(AdminKeyGuard)
export class DisputesController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(CardAccounts) private readonly accounts: CardAccounts,
    @Inject(DisputeEvidenceReader) private readonly evidence: DisputeEvidenceReader,
  ) {}

  /** By charge and id. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<DisputeView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 2);
    return pageOf(await listDisputes(this.prisma, filter, after, limit), limit, disputeKey, disputeView);
  }

  /** All that speaks against it: the invoice, and the commitments on it with what was signed. */
  @Get(':id/evidence')
  async bundle(@Param('id') id: string): Promise<EvidenceBundle> {
    return this.evidence.bundle((await this.find(id)).invoice);
  }

  /** Tells the processor, with the invoice as a PDF. The same statement again is submitted once; a processor takes evidence once. */
  @Post(':id/evidence')
  @HttpCode(200)
  @Idempotent('optional')
  async submit(@Param('id') id: string, @Body() body: unknown): Promise<DisputeView> {
    const { statement } = parseBody(evidenceBody, body);
    const { charge, invoice, tenant } = await this.find(id);
    const processor = await this.accounts.processorOf(tenant);
    if (!processor) throw new Problem('card_processor_missing');
    const bundle = await this.evidence.bundle(invoice);
    const told = evidenceText(statement, bundle);
    const digest = evidenceDigest(told);
    const word = await processor.submitEvidence(id, digest, { text: told, pdf: await documentPdf(bundle.invoice) });
    if (word.kind === 'unknown') throw new Problem('card_processor_unavailable', word.why);
    if (word.kind === 'refused') throw new Problem('evidence_refused', word.code);
    await this.bus.execute(new NoteDisputeEvidence(tenant, charge, id, digest));
    return { ...disputeView(await this.find(id)), evidence_digest: digest };
  }

  private async find(id: string) {
    const row = await findDispute(this.prisma, id);
    if (!row) throw new Problem('unknown_dispute');
    return row;
  }
}
