import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { type Commitment, type CommitmentAccepted, commitmentStream } from '../../domains/payments/commitment.js';
import {
  type CommitmentView,
  commitmentView,
  type EvidenceView,
  evidenceOf,
  findCommitment,
  listCommitments,
} from '../../domains/payments/commitments.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { parseQuery, text } from './input.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const states = ['running', 'delivered', 'released', 'interrupted'] as const satisfies readonly Commitment['status'][];

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  customer: text().optional(),
  route: text().optional(),
  state: z.enum(states).optional(),
});

type WholeCommitment = CommitmentView & {
  /** Absolute, without the query. */
  readonly resource: string;
  /** Base64url SHA-256 over method, path, query and body. */
  readonly request_digest: string;
  /** Thumbprint of the key that signed (RFC 7638). */
  readonly key: string;
  readonly evidence: EvidenceView;
};

/** Requests that customers signed for and pay later. */
@Controller('admin/v1/commitments')
@UseGuards(AdminKeyGuard)
export class CommitmentsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(EventStore) private readonly store: EventStore,
  ) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<CommitmentView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const before = cursor === undefined ? undefined : decodeNumber(cursor);
    const rows = await listCommitments(this.prisma, filter, before, limit);
    return pageOf(rows, limit, (row) => [row.position.toString()], commitmentView);
  }

  /** With the evidence: what was signed, and how. */
  @Get(':id')
  async one(@Param('id') id: string): Promise<WholeCommitment> {
    const [row, evidence] = await Promise.all([findCommitment(this.prisma, id), evidenceOf(this.prisma, id)]);
    if (!row || !evidence) throw new Problem('not_found');
    const [accepted] = await this.store.readStream(commitmentStream(row.id as `com_${string}`));
    const { key, requestDigest, resource } = accepted!.data as unknown as CommitmentAccepted['data'];
    return { ...commitmentView(row), resource, request_digest: requestDigest, key, evidence };
  }
}
