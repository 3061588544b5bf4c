import { Controller, Get, Inject, Param, Query, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { StoredEvent } from '../../base/event-store/event.js';
import { findEvent, listEvents } from '../../base/event-store/event-list.js';
import { EventDiffers, type InclusionProof, inclusionProofOf } from '../../base/event-store/seals/proof.js';
import { POOL } from '../../base/platform/tokens.js';
import type { JsonObject } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseQuery, text } from './input.js';
import { decodeNumber, encodeCursor, type Page, pageQuery } from './paging.js';

const POSITION = /^[1-9][0-9]{0,17}$/;
/** Seconds; about how often the log is sealed. */
const RETRY_AFTER = '3';

const name = text(500);
const listQuery = pageQuery.extend({
  stream: name.optional(),
  /** Once or several times. */
  type: z.union([name.transform((type) => [type]), z.array(name).max(50)]).optional(),
  tenant: name.optional(),
  /** First and last time, both included. */
  from: instant.optional(),
  to: instant.optional(),
});

export interface EventView {
  readonly position: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly schema: number;
  readonly tenant: string;
  readonly data: JsonObject;
  readonly occurred_at: string;
}

/** What `tollbook-verify --event` checks. */
export interface EventProof {
  readonly data: JsonObject;
  readonly proof: InclusionProof;
  /** Compact JWS by number. */
  readonly seals: Readonly<Record<string, string>>;
}

/** The log, as it was written. */
@Controller('admin/v1/events')
@UseGuards(AdminKeyGuard)
export class EventsController {
  constructor(@Inject(POOL) private readonly pool: Pool) {}

  /** Oldest first. A page may be short before the end: the cursor says whether there is more. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<EventView>> {
    const { cursor, limit, type: types, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? 0n : decodeNumber(cursor);
    const { events, next } = await listEvents(this.pool, { ...filter, types }, after, limit);
    return {
      data: events.map(eventView),
      ...(next === undefined ? {} : { next_cursor: encodeCursor([String(next)]) }),
    };
  }

  @Get(':position')
  async one(@Param('position') text: string): Promise<EventView> {
    return eventView(await this.find(text));
  }

  /** Problem `event_not_sealed` (409, Retry-After) in the first seconds of an event. */
  @Get(':position/proof')
  async proof(@Param('position') text: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<EventProof> {
    const { data, position } = await this.find(text);
    const found = await this.prove(position);
    if (found === undefined) {
      void reply.header('Retry-After', RETRY_AFTER);
      throw new Problem('event_not_sealed');
    }
    const { jws, ...proof } = found;
    return { data, proof, seals: { [proof.seal]: jws } };
  }

  private async find(text: string): Promise<StoredEvent> {
    const event = POSITION.test(text) ? await findEvent(this.pool, BigInt(text)) : undefined;
    if (event === undefined) throw new Problem('not_found');
    return event;
  }

  private async prove(position: bigint): ReturnType<typeof inclusionProofOf> {
    try {
      return await inclusionProofOf(this.pool, position);
    } catch (error) {
      throw error instanceof EventDiffers ? new Problem('event_altered', error.message) : error;
    }
  }
}

function eventView({ occurredAt, position, ...event }: StoredEvent): EventView {
  return { ...event, position: position.toString(), occurred_at: occurredAt.toISOString() };
}
