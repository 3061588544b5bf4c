import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import { calendarPeriod } from '../../base/shared/calendar-window.js';
import type { Clock } from '../../base/shared/clock.js';
import { parseAddress } from '../../base/shared/hex.js';
import { parseAtomic } from '../../base/shared/money.js';
import { Problem } from '../../base/shared/problem.js';
import { customerTariffsOf } from '../../domains/customers/customer-tariff.queries.js';
import { unitsUsed } from '../../domains/metering/usage.queries.js';
import type { Catalogue } from '../../domains/pricing/catalogue.js';
import { catalogueFromRows } from '../../domains/pricing/catalogue.rows.js';
import { routeSchema, tenantSchema } from '../../domains/pricing/catalogue.schemas.js';
import { readCatalogueRows } from '../../domains/pricing/catalogue-rows.queries.js';
import { type ExplainedStep, explain } from '../../domains/pricing/explain.js';
import { listPrice } from '../../domains/pricing/list-price.js';
import { urgencyOf } from '../../domains/pricing/modifiers/urgency.js';
import { pricedRequest } from '../../domains/pricing/request/priced-request.js';
import { price } from '../../domains/pricing/tariff.js';
import { type Tariff, tariffSchema } from '../../domains/pricing/tariff.schemas.js';
import { routesCounted, tariffInForce } from '../../domains/pricing/whose-tariff.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { describedRequest, describedResponse, messagesOf } from './described-request.js';
import { instant, parseBody, text } from './input.js';
import { assertTariff } from './tariff-input.js';

const quoteBody = z.strictObject({
  tenant: text(),
  route: text(),
  request: describedRequest.prefault({}),
  response: describedResponse.optional(),
  /** Then what this payer used so far counts, unless `used` says otherwise. */
  payer: z
    .string()
    .refine((value) => parseAddress(value) !== undefined, '0x and 40 hex digits')
    .optional(),
  /** As if the payer had proven who it is: then a tariff of its own counts. */
  proven: z.boolean().default(false),
  /** RFC 3339; now if absent. */
  at: instant.optional(),
  /** Permille of the upstream's concurrency in use. */
  load: z.int().min(0).max(1_000_000).default(0),
  /** Units used in the period before this request, as a decimal string. */
  used: z
    .string()
    .refine((value) => parseAtomic(value) !== undefined, 'a whole number as a decimal string')
    .optional(),
  /** A class that is offered, for a request that names none. */
  class: text().optional(),
  /** Rules to price by before they are published, in place of the tariff in force; checked apart, by `checkTariff`. */
  rules: z.looseObject({}).optional(),
});

type QuoteBody = z.output<typeof quoteBody>;

interface QuoteView {
  readonly tenant: string;
  readonly route: string;
  /** Missing if rules were given. */
  readonly tariff?: { readonly id: string; readonly version: number; readonly effectiveFrom: string };
  /** Atomic units of `asset`. */
  readonly amount: string;
  readonly asset: string;
  readonly units: string;
  readonly class?: string;
  readonly circumstances: {
    readonly urgency: number;
    readonly at: string;
    readonly load: number;
    readonly used: string;
  };
  /** Every rule that applied, in order, with every number. */
  readonly steps: readonly ExplainedStep[];
  /** What the price looked at. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** What a request would cost, and why. Nothing is promised: only the gateway's offers are. */
@Controller('admin/v1/quotes')
@UseGuards(AdminKeyGuard)
export class QuotesController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(200)
  async explain(@Body() body: unknown): Promise<QuoteView> {
    const asked = parseBody(quoteBody, body);
    const rows = await readCatalogueRows(this.pool, asked.tenant);
    const tenantRow = rows.tenants[0];
    const routeRow = rows.routes.find(({ id }) => id === asked.route);
    if (!tenantRow) throw new Problem('not_found', 'No such tenant');
    if (!routeRow) throw new Problem('not_found', 'No such route');
    const { config, id, tenant } = routeRow;
    const route = routeSchema.parse({ ...(config as object), tenant, id });
    const owner = tenantSchema.parse(tenantRow);
    const catalogue = catalogueFromRows(rows);
    const at = asked.at?.getTime() ?? this.clock();
    const own = await this.ownTariffs(asked);
    const version = asked.rules ? undefined : tariffInForce(catalogue, route, own.get(id), at);
    const tariff = asked.rules ? rulesOf(asked.rules) : version?.tariff;
    if (!tariff) throw new Problem('not_found', `No version of tariff ${route.tariff} is in force then`);
    const messages = messagesOf(asked.request, asked.response, route, owner, catalogue);
    const priority = messages.request.header('priority') ?? undefined;
    const counted = { id: version?.id ?? own.get(id) ?? route.tariff, period: tariff.period };
    const used = await this.usedBy(asked, counted, catalogue, own, at);
    const circumstances = { urgency: urgencyOf(priority), at, load: asked.load, class: asked.class };
    const request = pricedRequest({ ...circumstances, used: used ?? 0n }, messages);
    const priced = (used === undefined ? listPrice : price)(tariff, request);
    return {
      ...{ tenant, route: id },
      tariff: version && {
        id: version.id,
        version: version.version,
        effectiveFrom: new Date(version.effectiveFrom).toISOString(),
      },
      amount: priced.amount.toString(),
      asset: `${owner.network}/erc20:${owner.asset}`,
      units: priced.units.toString(),
      class: priced.class,
      circumstances: {
        urgency: circumstances.urgency,
        at: new Date(at).toISOString(),
        load: asked.load,
        used: used?.toString() ?? priced.inputs.used ?? '0',
      },
      steps: explain(priced),
      inputs: priced.inputs,
    };
  }

  /** By route; none for a payer that has not proven who it is. */
  private async ownTariffs({ payer, proven, tenant }: QuoteBody): Promise<ReadonlyMap<string, string>> {
    if (!proven || payer === undefined) return new Map();
    const rows = await customerTariffsOf(this.prisma, tenant, parseAddress(payer)!);
    return new Map(rows.map(({ route, tariff }) => [route, tariff]));
  }

  /** `undefined`: of nobody in particular, who pays the list price. */
  private async usedBy(
    { payer, tenant, used }: QuoteBody,
    { id, period }: Pick<Tariff, 'period'> & { readonly id: string },
    catalogue: Catalogue,
    own: ReadonlyMap<string, string>,
    at: number,
  ): Promise<bigint | undefined> {
    if (used !== undefined) return BigInt(used);
    if (payer === undefined) return undefined;
    const from = new Date(calendarPeriod(period ?? 'day', 'UTC', at).start);
    const owned = [...own].filter(([, tariff]) => tariff === id).map(([route]) => route);
    const routes = routesCounted(catalogue, { tenant, tariff: id }, owned);
    return unitsUsed(this.pool, { tenant, payer: parseAddress(payer)!, routes, from });
  }
}

/** @throws Problem `invalid_request` that names every member at fault */
function rulesOf(rules: object): Tariff {
  assertTariff(rules);
  return tariffSchema.parse(rules);
}
