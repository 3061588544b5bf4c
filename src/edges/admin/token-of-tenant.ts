import { Inject, Injectable } from '@nestjs/common';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { TokenBook } from '../../domains/pricing/token-book.js';

export interface TenantToken {
  readonly network: Network;
  readonly asset: Address;
  readonly decimals: number;
}

/** The token that a tenant takes now, as its chain tells of it. */
@Injectable()
export class TokenOfTenant {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(TokenBook) private readonly tokens: TokenBook,
  ) {}

  /** @throws Problem `not_found`, `network_not_served`, `chain_unavailable` */
  async of(tenant: string): Promise<TenantToken> {
    const row = await this.prisma.tenant.findUnique({ where: { id: tenant }, select: { network: true, asset: true } });
    if (!row) throw new Problem('not_found', 'No such tenant');
    const paidIn = { network: row.network as Network, asset: row.asset as Address };
    if (!this.tokens.on(paidIn.network)) throw new Problem('network_not_served');
    const token = this.tokens.tokenOf(paidIn);
    if (!token) throw new Problem('chain_unavailable');
    return { ...paidIn, decimals: token.decimals };
  }
}
