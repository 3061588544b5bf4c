import { isIP } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { ChainUnavailable } from '../../base/chain/chain.js';
import type { ChainClient } from '../../base/chain/chain-client.js';
import { loadToken } from '../../base/chain/tokens.js';
import { isPublicAddress } from '../../base/platform/address-guard.js';
import type { Config } from '../../base/platform/config.js';
import { CHAIN, CONFIG } from '../../base/platform/tokens.js';
import { Problem, type ProblemError } from '../../base/shared/problem.js';
import type { TenantRegistration } from '../../domains/pricing/catalogue.decide.js';
import { TokenBook } from '../../domains/pricing/token-book.js';

const ZERO = `0x${'0'.repeat(40)}`;

/** What would make a registration useless, told when it is sent and not when the first buyer comes. */
@Injectable()
export class TenantChecks {
  constructor(
    @Inject(CHAIN) private readonly chain: ChainClient,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TokenBook) private readonly tokens: TokenBook,
  ) {}

  /** @throws Problem `invalid_request` that names each member at fault; ChainUnavailable if the token cannot be looked at */
  async check(tenant: TenantRegistration): Promise<void> {
    const errors = [...upstreamErrors(tenant), ...payeeErrors(tenant), ...(await this.tokenErrors(tenant))];
    const [first] = errors;
    if (first) throw new Problem('invalid_request', `${first.pointer?.slice(2)}: ${first.detail}`, {}, errors);
  }

  private async tokenErrors({ asset, network }: TenantRegistration): Promise<readonly ProblemError[]> {
    const ours = `eip155:${this.config.chainId}`;
    if (network !== ours) return [{ pointer: '#/network', detail: `this installation is paid on ${ours}` }];
    if (this.tokens.get(asset)) return [];
    try {
      await loadToken(this.chain, network, asset);
      return [];
    } catch (error) {
      if (error instanceof ChainUnavailable) throw error;
      return [{ pointer: '#/asset', detail: 'is no token with EIP-3009 that can be used on this chain' }];
    }
  }
}

/** A name is looked up at each request, a literal address can be judged now. */
function upstreamErrors({ allowPrivateUpstream, upstream }: TenantRegistration): readonly ProblemError[] {
  const host = new URL(upstream).hostname.replace(/^\[|\]$/g, '');
  const closed = host === 'localhost' || (isIP(host) !== 0 && !isPublicAddress(host));
  if (allowPrivateUpstream || !closed) return [];
  return [{ pointer: '#/upstream', detail: 'is a private address; say "allowPrivateUpstream": true if it is yours' }];
}

function payeeErrors({ payee }: TenantRegistration): readonly ProblemError[] {
  return payee === ZERO ? [{ pointer: '#/payee', detail: 'is the zero address, which nobody owns' }] : [];
}
