import type { Token } from '../../base/chain/chain.js';
import { Problem } from '../../base/shared/problem.js';
import type { Tenant } from '../../domains/pricing/catalogue.schemas.js';
import type { TokenBook } from '../../domains/pricing/token-book.js';

/** The token that a tenant is paid in. @throws Problem `payment_network_unavailable`, `chain_unavailable` */
export function tokenFor(tokens: TokenBook, tenant: Pick<Tenant, 'asset' | 'network'>): Token {
  const known = tokens.on(tenant.network);
  if (!known) throw new Problem('payment_network_unavailable');
  const token = known.get(tenant.asset);
  if (!token) throw new Problem('chain_unavailable');
  return token;
}
