import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import { RemoveKeyDirectory, SetKeyDirectory, TakeDirectoryKeys } from '../../domains/customers/account.decide.js';
import type { KeyDirectory } from '../../domains/customers/account.js';
import { findAccount, type SigningKeyView, signingKeysOf } from '../../domains/customers/account.queries.js';
import { directoryUrl, KeyDirectories } from '../../domains/customers/key-directory.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { customerOf, parseBody } from './input.js';

/** Least time between two readings of one directory by this process. */
const REST_MS = 10_000;
const REMEMBERED_MAX = 10_000;

const directoryBody = z
  .strictObject({
    /** Without a path; the path is that of the draft. */
    origin: z.string().max(300),
    /** An operator's permission for addresses that are not public, and for HTTP. */
    allow_private: z.boolean().default(false),
  })
  .refine(({ allow_private, origin }) => directoryUrl(origin, allow_private) !== undefined, {
    path: ['origin'],
    error: 'an https origin without path, such as https://agent.example.com',
  });

interface DirectoryView {
  readonly url: string;
  readonly allow_private: boolean;
}

/** Where the holder of an account publishes the keys by which it signs; they are taken when somebody asks for it. */
@Controller('admin/v1/accounts/:tenant/:customer/key-directory')
@UseGuards(AdminKeyGuard)
export class KeyDirectoryController {
  private readonly read = new LRUCache<string, number>({ max: REMEMBERED_MAX });

  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KeyDirectories) private readonly directories: KeyDirectories,
  ) {}

  @Get()
  async one(@Param('tenant') tenant: string, @Param('customer') id: string): Promise<DirectoryView> {
    const { allowPrivate, url } = await this.directoryOf(tenant, id);
    return { url, allow_private: allowPrivate };
  }

  /** Nothing is read yet. */
  @Put()
  @Idempotent('optional')
  async set(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
    @Body() body: unknown,
  ): Promise<DirectoryView> {
    const { allow_private, origin } = parseBody(directoryBody, body);
    const directory = { url: directoryUrl(origin, allow_private)!, allowPrivate: allow_private };
    await this.bus.execute(new SetKeyDirectory(tenant, customerOf(id), directory));
    return this.one(tenant, id);
  }

  /** The keys that were taken from it stay until they are revoked. Repeatable. */
  @Delete()
  @HttpCode(204)
  @Idempotent('optional')
  async remove(@Param('tenant') tenant: string, @Param('customer') id: string): Promise<void> {
    await this.bus.execute(new RemoveKeyDirectory(tenant, customerOf(id)));
  }

  /** New keys are added; those that were taken from it and are not in it any more are revoked, for ever. */
  @Post('refresh')
  @HttpCode(200)
  @Idempotent('optional')
  async refresh(
    @Param('tenant') tenant: string,
    @Param('customer') id: string,
  ): Promise<{ readonly data: SigningKeyView[] }> {
    const directory = await this.directoryOf(tenant, id);
    const [customer, now] = [customerOf(id), this.clock()];
    this.mayRead(`${tenant}/${customer}`, now);
    const keys = await this.directories.read(directory, now);
    await this.bus.execute(new TakeDirectoryKeys(tenant, customer, directory.url, keys));
    return { data: await signingKeysOf(this.prisma, tenant, customer) };
  }

  private mayRead(account: string, now: number): void {
    const wait = (this.read.get(account) ?? Number.NEGATIVE_INFINITY) + REST_MS - now;
    if (wait > 0) throw new Problem('rate_limited', undefined, { 'Retry-After': String(Math.ceil(wait / 1000)) });
    this.read.set(account, now);
  }

  private async directoryOf(tenant: string, id: string): Promise<KeyDirectory> {
    const row = await findAccount(this.prisma, tenant, customerOf(id));
    if (!row) throw new Problem('not_found', 'No such account');
    if (row.keyDirectory === null) throw new Problem('not_found', 'This account has no key directory');
    return { url: row.keyDirectory, allowPrivate: row.directoryPrivate ?? false };
  }
}
