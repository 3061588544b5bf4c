import { randomBytes } from 'node:crypto';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import { POOL, PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import {
  type AccountCommand,
  OpenAccount,
  ResumeAccount,
  SetBilling,
  SetCreditLine,
  SetWayToPay,
  SuspendAccount,
} from '../../domains/customers/account.decide.js';
import type { CustomerId } from '../../domains/customers/account.js';
import {
  type AccountView,
  accountKey,
  accountView,
  findAccount,
  listAccounts,
} from '../../domains/customers/account.queries.js';
import {
  billingSchema,
  creditLineSchema,
  openAccountSchema,
  suspensionSchema,
  wayToPaySchema,
} from '../../domains/customers/account.schemas.js';
import { owedBy } from '../../domains/limits/credit.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { customerOf, parseBody, parseQuery, tenantOf, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';
import { TokenOfTenant } from './token-of-tenant.js';

const listQuery = pageQuery.extend({ tenant: text().optional() });

/** In atomic units of the account's token. */
interface BalanceView {
  readonly currency: string;
  readonly decimals: number;
  readonly credit_line: string;
  /** Charged, and held for requests under way, less what was paid in; below zero: paid in advance. */
  readonly owed: string;
  /** What may still be used; 0 for an account that is suspended, or over its line. */
  readonly available: string;
}

/** The accounts of customers who pay later or in advance. */
@Controller('admin/v1/accounts')
@UseGuards(AdminKeyGuard)
export class AccountsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(TokenOfTenant) private readonly tokens: TokenOfTenant,
  ) {}

  /** By tenant and customer. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<AccountView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 2);
    return pageOf(await listAccounts(this.prisma, filter, after, limit), limit, accountKey, accountView);
  }

  /** In the token that the tenant takes now. */
  @Post(':tenant')
  @Idempotent('required')
  async open(
    @Param('tenant') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountView | undefined> {
    const { credit_line, currency, time_zone, way_to_pay } = parseBody(openAccountSchema, body ?? {});
    const tenant = await tenantOf(this.prisma, id);
    const customer: CustomerId = `cus_${randomBytes(12).toString('hex')}`;
    const billing = { period: 'month', timeZone: time_zone } as const;
    const terms = { currency, creditLine: credit_line, ...billing, wayToPay: way_to_pay };
    await this.bus.execute(new OpenAccount(tenant, customer, { ...terms, ...(await this.tokens.of(tenant)) }));
    return this.one(tenant, customer, request, reply);
  }

  @Get(':tenant/:customer')
  async one(
    @Param('tenant') tenant: string,
    @Param('customer') customer: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountView | undefined> {
    const row = await findAccount(this.prisma, tenant, customerOf(customer));
    if (!row) throw new Problem('not_found', 'No such account');
    return tagged(request, reply, row.revision) ? undefined : accountView(row);
  }

  /** As of now: what runs already may change it before the answer arrives. */
  @Get(':tenant/:customer/balance')
  async balance(@Param('tenant') tenant: string, @Param('customer') customer: string): Promise<BalanceView> {
    const row = await findAccount(this.prisma, tenant, customerOf(customer));
    if (!row) throw new Problem('not_found', 'No such account');
    const { credit_line, currency, decimals, status } = accountView(row);
    const owed = await owedBy(this.pool, tenant, customer);
    const left = BigInt(credit_line) - owed;
    const available = status === 'suspended' || left < 0n ? 0n : left;
    return { currency, decimals, credit_line, owed: owed.toString(), available: available.toString() };
  }

  /** Counts for every request that is let in after the answer. */
  @Put(':tenant/:customer/credit-line')
  @Idempotent('optional')
  creditLine(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountView | undefined> {
    const { credit_line } = parseBody(creditLineSchema, body);
    const expected = expectedBy(request, undefined);
    return this.changed(new SetCreditLine(tenant, customerOf(id), credit_line, expected), request, reply);
  }

  /** On whose clocks the months of the invoices are. */
  @Put(':tenant/:customer/billing')
  @Idempotent('optional')
  billing(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountView | undefined> {
    const { time_zone } = parseBody(billingSchema, body);
    const billing = { period: 'month', timeZone: time_zone } as const;
    return this.changed(
      new SetBilling(tenant, customerOf(id), billing, expectedBy(request, undefined)),
      request,
      reply,
    );
  }

  @Put(':tenant/:customer/way-to-pay')
  @Idempotent('optional')
  wayToPay(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountView | undefined> {
    const way = parseBody(wayToPaySchema, body);
    return this.changed(new SetWayToPay(tenant, customerOf(id), way, expectedBy(request, undefined)), request, reply);
  }

  /** From the answer on it may owe nothing more; it can still pay at once. */
  @Put(':tenant/:customer/suspension')
  @Idempotent('optional')
  suspend(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountView | undefined> {
    const { reason } = parseBody(suspensionSchema, body);
    return this.changed(new SuspendAccount(tenant, customerOf(id), reason), request, reply);
  }

  /** Repeatable. */
  @Delete(':tenant/:customer/suspension')
  @HttpCode(204)
  @Idempotent('optional')
  async resume(@Param('tenant') tenant: string, @Param('customer') id: string): Promise<void> {
    await this.bus.execute(new ResumeAccount(tenant, customerOf(id)));
  }

  private async changed(command: AccountCommand, request: FastifyRequest, reply: FastifyReply) {
    await this.bus.execute(command);
    return this.one(command.tenant, command.customer, request, reply);
  }
}
