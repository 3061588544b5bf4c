import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { Address } from '../../src/base/shared/hex.js';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { type LastingChain, mint } from './chains.js';
import { addressOf } from './payment.js';
import { flat, routeWith, tenantWith } from './publishing.js';

/** A tenant that sells one thing for one token of one chain. */
export interface Shop {
  readonly id: string;
  readonly chain: LastingChain;
  readonly asset: Address;
  readonly payee: Address;
  readonly price: bigint;
}

/** As `TOLLBOOK_CHAINS` names it. */
export function chainOf({ network, rpcUrl }: LastingChain, tokens: readonly Address[]): object {
  return { network, rpcUrls: [rpcUrl], tokens, maxFeePerGasGwei: '100' };
}

export function shopOf(id: string, chain: LastingChain, asset: Address, price: bigint): Shop {
  return { id, chain, asset, price, payee: addressOf(privateKeyToAccount(generatePrivateKey())) };
}

export function publicationsOf({ asset, chain: { network }, id, payee, price }: Shop, upstream: string) {
  const tenant = { id, host: `${id}.example`, upstream, network, asset, payee };
  return [
    new RegisterTenant(tenantWith(tenant)),
    new PublishTariff(id, 'flat', flat(String(price))),
    new PublishRoute(routeWith({ id: 'thing', tenant: id })),
  ];
}

/** Somebody with ten prices. */
export async function newBuyerOf({ asset, chain, price }: Shop): Promise<PrivateKeyAccount> {
  const account = privateKeyToAccount(generatePrivateKey());
  await mint(chain, asset, addressOf(account), 10n * price);
  return account;
}
