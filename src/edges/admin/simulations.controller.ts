import { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Upcast } from '../../base/event-store/event.js';
import type { Logger } from '../../base/platform/logger.js';
import { LOGGER, POOL } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { readCatalogueRows } from '../../domains/pricing/catalogue-rows.queries.js';
import { type Tariff, tariffSchema } from '../../domains/pricing/tariff.schemas.js';
import { Simulation } from '../../domains/reports/simulation.js';
import { type DeliveredFilter, lastPosition, readDelivered } from '../../domains/reports/simulation.queries.js';
import { asProblem } from '../problem.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseBody, text } from './input.js';
import { assertTariff } from './tariff-input.js';

/** What lifts stored events, from the composition root. */
export const UPCAST = Symbol('Upcast');
const POSITION = /^(?:0|[1-9][0-9]{0,17})$/;

const simulateBody = z
  .strictObject({
    tenant: text(),
    /** Requests delivered from here on and before `to`, RFC 3339. */
    from: instant,
    to: instant,
    /** Rules to price by, in place of a published version; checked apart, by `checkTariff`. */
    rules: z.looseObject({}).optional(),
    /** A published tariff to price by; the one that the path names if absent. */
    tariff: text().optional(),
    /** Of that tariff; the newest if absent. */
    version: z.int().min(1).optional(),
    /** Only requests of these routes; if absent, those that were let in under the tariff that the path names. */
    routes: z.array(text()).min(1).max(1000).optional(),
    /** The `through` of an earlier result, to get that result again though the log has grown. */
    through: z.string().regex(POSITION, 'a position that a result gave').transform(BigInt).optional(),
  })
  .refine(({ from, to }) => !(to <= from), { path: ['to'], message: 'must be after from' })
  .refine(({ rules, tariff, version }) => rules === undefined || (tariff === undefined && version === undefined), {
    path: ['rules'],
    message: 'name rules or a published tariff, not both',
  });

type SimulateBody = z.output<typeof simulateBody>;

/** What the past would have brought under other prices. Nothing is changed. */
@Controller('admin/v1/tariffs')
@UseGuards(AdminKeyGuard)
export class SimulationsController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    @Inject(UPCAST) private readonly upcast: Upcast,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Newline-delimited JSON: `progress` lines, then one `result`, or an `error`. The same request gives the same bytes. */
  @Post(':tariff/simulate')
  @HttpCode(200)
  async simulate(@Param('tariff') id: string, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    const asked = parseBody(simulateBody, body);
    const rows = await readCatalogueRows(this.pool, asked.tenant);
    if (rows.tenants.length === 0) throw new Problem('not_found', 'No such tenant');
    if (!rows.tariffs.some((row) => row.id === id)) throw new Problem('not_found', 'No such tariff');
    const published = new Map(rows.tariffs.map((row) => [nameOf(row.id, row.version), row]));
    const under = ruled(asked, rows.tariffs, id);
    const actual = cached((name) => {
      const row = published.get(name);
      return row && tariffSchema.parse(row.rules);
    });
    const simulation = new Simulation(under.tariff, (tariff, version) => actual(nameOf(tariff, version)));
    const filter = { tenant: asked.tenant, from: asked.from, to: asked.to };
    const through = await lastPosition(this.pool, asked.through);
    const lines = this.lines(simulation, id, asked.routes, { ...filter, through }, under.name);
    await reply.type('application/x-ndjson').send(Readable.from(lines));
  }

  private async *lines(
    simulation: Simulation,
    id: string,
    routes: readonly string[] | undefined,
    filter: DeliveredFilter,
    under: object,
  ): AsyncGenerator<string> {
    let requests = 0;
    const through = filter.through.toString();
    try {
      for await (const { delivered, position } of readDelivered(this.pool, filter, this.upcast)) {
        for (const { at, request } of delivered) {
          if (routes ? !routes.includes(request.route) : request.tariff.id !== id) continue;
          simulation.add(request, at);
          requests++;
        }
        yield line({ type: 'progress', position: position.toString(), through, requests });
      }
      const period = { from: filter.from.toISOString(), to: filter.to.toISOString() };
      yield line({
        type: 'result',
        tenant: filter.tenant,
        under,
        ...period,
        through,
        requests,
        ...simulation.result(),
      });
    } catch (error) {
      this.log.error({ err: (error as Error).message }, 'a simulation failed');
      yield line({ type: 'error', ...asProblem(error).toJSON() });
    }
  }
}

/** The tariff to price by. @throws Problem */
function ruled(
  { rules, tariff, version }: SimulateBody,
  published: Awaited<ReturnType<typeof readCatalogueRows>>['tariffs'],
  path: string,
): { readonly tariff: Tariff; readonly name: object } {
  if (rules) {
    assertTariff(rules);
    return { tariff: tariffSchema.parse(rules), name: { rules } };
  }
  const id = tariff ?? path;
  const versions = published.filter((row) => row.id === id && (version === undefined || row.version === version));
  const newest = versions.reduce<(typeof versions)[number] | undefined>(
    (most, row) => (most && most.version > row.version ? most : row),
    undefined,
  );
  if (!newest) throw new Problem('not_found', 'No such version of a tariff');
  return { tariff: tariffSchema.parse(newest.rules), name: { tariff: id, version: newest.version } };
}

function nameOf(id: string, version: number): string {
  return `${id}/${version}`;
}

function cached<T>(find: (key: string) => T): (key: string) => T {
  const found = new Map<string, T>();
  return (key) => {
    if (!found.has(key)) found.set(key, find(key));
    return found.get(key)!;
  };
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
