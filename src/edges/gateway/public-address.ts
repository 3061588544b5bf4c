import type { Tenant } from '../../domains/pricing/catalogue.schemas.js';

/** Where buyers reach a tenant: scheme, host and port, without a slash at the end. */
export type AddressOf = (tenant: Pick<Tenant, 'host'>) => string;

/**
 * A tenant's own host, under the scheme and port of `PUBLIC_URL`; `PUBLIC_URL` itself for the tenant of `*`. Pure: no
 * request header has a say, so nobody can make an offer or a receipt name another place.
 *
 * @param publicUrl without a slash at the end
 */
export function publicAddresses(publicUrl: string): AddressOf {
  const { port, protocol } = new URL(publicUrl);
  const [before, after] = [`${protocol}//`, port === '' ? '' : `:${port}`];
  return ({ host }) => (host === '*' ? publicUrl : before + host + after);
}
