import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { AddSigningKey, AttachWallet, DetachWallet, RevokeSigningKey } from '../../domains/customers/account.decide.js';
import type { CustomerId } from '../../domains/customers/account.js';
import { findAccount, type SigningKeyView, signingKeysOf, walletsOf } from '../../domains/customers/account.queries.js';
import { signingKeySchema } from '../../domains/customers/account.schemas.js';
import { keyIdOf } from '../../domains/customers/signing-key.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { customerOf, parseBody, payerOf } from './input.js';

/** By which keys the holder of an account signs, and which wallets are its own. */
@Controller('admin/v1/accounts/:tenant/:customer')
@UseGuards(AdminKeyGuard)
export class AccountPartsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** Those that are not revoked, oldest first; at most twenty, so there are no pages. */
  @Get('keys')
  async keys(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
  ): Promise<{ readonly data: SigningKeyView[] }> {
    return { data: await signingKeysOf(this.prisma, tenant, await this.openAt(tenant, id)) };
  }

  /** The same key again changes nothing. */
  @Post('keys')
  @Idempotent('optional')
  async addKey(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Body() body: unknown,
  ): Promise<SigningKeyView> {
    const { jwk } = parseBody(signingKeySchema, body);
    const customer = await this.openAt(tenant, id);
    await this.bus.execute(new AddSigningKey(tenant, customer, jwk, 'provider'));
    const key = (await signingKeysOf(this.prisma, tenant, customer)).find((one) => one.id === keyIdOf(jwk));
    if (!key) throw new Error(`${keyIdOf(jwk)} is gone already`);
    return key;
  }

  /** The key is no good for any request that is let in after the answer, and for ever. Repeatable. */
  @Delete('keys/:key')
  @HttpCode(204)
  @Idempotent('optional')
  async revokeKey(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Param('key') key: string,
  ): Promise<void> {
    await this.bus.execute(new RevokeSigningKey(tenant, customerOf(id), key));
  }

  @Get('wallets')
  async wallets(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
  ): Promise<{ readonly data: readonly string[] }> {
    return { data: await walletsOf(this.prisma, tenant, await this.openAt(tenant, id)) };
  }

  /** Repeatable. */
  @Put('wallets/:wallet')
  @HttpCode(204)
  @Idempotent('optional')
  async attach(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Param('wallet') wallet: string,
  ): Promise<void> {
    await this.bus.execute(new AttachWallet(tenant, customerOf(id), payerOf(wallet)));
  }

  /** Repeatable. */
  @Delete('wallets/:wallet')
  @HttpCode(204)
  @Idempotent('optional')
  async detach(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Param('wallet') wallet: string,
  ): Promise<void> {
    await this.bus.execute(new DetachWallet(tenant, customerOf(id), payerOf(wallet)));
  }

  private async openAt(tenant: string, id: string): Promise<CustomerId> {
    const customer = customerOf(id);
    if (await findAccount(this.prisma, tenant, customer)) return customer;
    throw new Problem('not_found', 'No such account');
  }
}
