import { randomBytes } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { findAccount } from '../../domains/customers/account.queries.js';
import { RemoveCardAccount, SetCardAccount } from '../../domains/settlement/cards/card-account.decide.js';
import { cardAccountSchema } from '../../domains/settlement/cards/card-account.schemas.js';
import { CardAccounts } from '../../domains/settlement/cards/card-accounts.js';
import { findCardAccount } from '../../domains/settlement/cards/card-charges.queries.js';
import { CardDesk } from '../../domains/settlement/cards/card-desk.js';
import type { CardOnFile } from '../../domains/settlement/cards/card-processor.js';
import { StartCardSetup } from '../../domains/settlement/cards/card-setup.decide.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { customerOf, parseBody, tenantOf } from './input.js';

interface CardProcessorView {
  readonly tenant: string;
  readonly processor: string;
  readonly api_base: string;
  readonly allow_private: boolean;
  /** Where the processor is to post its events, on the gateway. */
  readonly webhook_path: string;
}

interface CardSetupView {
  readonly setup: string;
  readonly processor_id: string;
  readonly client_secret: string;
}

interface CardView {
  /** `waiting`: the customer has not told a card; `unknown`: the processor did not say. */
  readonly state: 'none' | 'waiting' | 'ready' | 'unknown';
  readonly card: CardOnFile | null;
}

/** By which account a tenant takes cards, and the cards of its customers. */
@Controller('admin/v1')
@UseGuards(AdminKeyGuard)
export class CardProcessorController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(CardAccounts) private readonly accounts: CardAccounts,
    @Inject(CardDesk) private readonly desk: CardDesk,
  ) {}

  /** Without its secrets, which nobody is told. */
  @Get('tenants/:tenant/card-processor')
  async one(
    @Param('tenant') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CardProcessorView | undefined> {
    const tenant = await tenantOf(this.prisma, id);
    const row = await findCardAccount(this.prisma, tenant);
    if (!row) throw new Problem('not_found', 'This tenant takes no cards');
    if (tagged(request, reply, row.revision)) return undefined;
    const { allowPrivate, apiBase, processor } = row;
    const place = { webhook_path: `/-/webhooks/stripe/${tenant}` };
    return { tenant, processor, api_base: apiBase, allow_private: allowPrivate, ...place };
  }

  @Put('tenants/:tenant/card-processor')
  @Idempotent('optional')
  async set(
    @Param('tenant') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CardProcessorView | undefined> {
    const account = parseBody(cardAccountSchema, body);
    const tenant = await tenantOf(this.prisma, id);
    const command = new SetCardAccount(tenant, account, expectedBy(request, undefined));
    const { created } = await this.bus.execute<SetCardAccount, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.one(tenant, request, reply);
  }

  /** Repeatable. Nothing is charged any more, and what is under way stays as it is until there is an account again. */
  @Delete('tenants/:tenant/card-processor')
  @HttpCode(204)
  @Idempotent('optional')
  async remove(@Param('tenant') id: string): Promise<void> {
    await this.bus.execute(new RemoveCardAccount(await tenantOf(this.prisma, id)));
  }

  /** Begins a setup: `client_secret` is for the customer's browser. An earlier setup that is not completed counts no more. */
  @Post('accounts/:tenant/:customer/card')
  @Idempotent('required')
  async setup(@Param('tenant') tenant: string, @Param('customer') id: string): Promise<CardSetupView> {
    const customer = await this.accountOf(tenant, id);
    const processor = await this.accounts.processorOf(tenant);
    if (!processor) throw new Problem('card_processor_missing');
    const setup = `cst_${randomBytes(12).toString('hex')}`;
    const { clientSecret, processorId } = await processor.startCardSetup({ setup, tenant, customer });
    await this.bus.execute(new StartCardSetup(tenant, customer, setup, processorId));
    return { setup, processor_id: processorId, client_secret: clientSecret };
  }

  /** Asks the processor, if no webhook has said it yet. */
  @Get('accounts/:tenant/:customer/card')
  async card(@Param('tenant') tenant: string, @Param('customer') id: string): Promise<CardView> {
    const customer = await this.accountOf(tenant, id);
    const looked = await this.desk.setup(tenant, customer);
    if (looked === 'absent') return { state: 'none', card: null };
    if (looked !== 'done') return { state: looked === 'open' ? 'waiting' : 'unknown', card: null };
    const { brand, expires, last4 } = (await this.desk.loadSetup(tenant, customer))!.completed!;
    return { state: 'ready', card: { brand, last4, expires } };
  }

  private async accountOf(tenant: string, customer: string): Promise<string> {
    const row = await findAccount(this.prisma, tenant, customerOf(customer));
    if (!row) throw new Problem('not_found', 'No such account');
    return row.customer;
  }
}
