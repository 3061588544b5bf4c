import { isIP } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { ChainUnavailable } from '../../base/chain/chain.js';
import { type Chains, chainOf } from '../../base/chain/chains.js';
import { loadToken } from '../../base/chain/tokens.js';
import { isLoopback, isPublicAddress } from '../../base/platform/address-guard.js';
import { CHAINS } from '../../base/platform/tokens.js';
import { Problem, type ProblemError, refuseFaults } from '../../base/shared/problem.js';
import type { TenantRegistration } from '../../domains/pricing/catalogue.decide.js';
import { TokenBook } from '../../domains/pricing/token-book.js';

const ZERO = `0x${'0'.repeat(40)}`;

/** What would make a registration useless, told when it is sent and not when the first buyer comes. */
@Injectable()
export class TenantChecks {
  constructor(
    @Inject(CHAINS) private readonly chains: Chains,
    @Inject(TokenBook) private readonly tokens: TokenBook,
  ) {}

  /**
   * @throws Problem `network_not_served`, `invalid_request` that names each member at fault; ChainUnavailable if the token
   *   cannot be looked at
   */
  async check(tenant: TenantRegistration): Promise<void> {
    if (!this.chains.has(tenant.network)) throw this.notServed();
    refuseFaults([...upstreamErrors(tenant), ...payeeErrors(tenant), ...(await this.tokenErrors(tenant))]);
  }

  private notServed(): Problem {
    const detail = `this installation is paid on ${[...this.chains.keys()].join(', ')}`;
    return new Problem('network_not_served', detail, {}, [{ pointer: '#/network', detail }]);
  }

  private async tokenErrors(tenant: TenantRegistration): Promise<readonly ProblemError[]> {
    if (this.tokens.tokenOf(tenant)) return [];
    const { asset, network } = tenant;
    try {
      await loadToken(chainOf(this.chains, network).client, network, asset);
      return [];
    } catch (error) {
      if (error instanceof ChainUnavailable) throw error;
      return [{ pointer: '#/asset', detail: 'is no token with EIP-3009 that can be used on this chain' }];
    }
  }
}

/** A name is looked up at each request, a literal address can be judged now. */
function upstreamErrors({ allowPrivateUpstream, upstream }: TenantRegistration): readonly ProblemError[] {
  const { hostname } = new URL(upstream);
  const host = hostname.replace(/^\[|\]$/g, '');
  const closed = isLoopback(hostname) || (isIP(host) !== 0 && !isPublicAddress(host));
  if (allowPrivateUpstream || !closed) return [];
  return [{ pointer: '#/upstream', detail: 'is a private address; say "allowPrivateUpstream": true if it is yours' }];
}

function payeeErrors({ payee }: TenantRegistration): readonly ProblemError[] {
  return payee === ZERO ? [{ pointer: '#/payee', detail: 'is the zero address, which nobody owns' }] : [];
}
