import { join } from 'node:path';
import { DEFAULT_ASSETS } from '@x402/evm';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import type { Token } from '../../base/chain/chain.js';
import { createFailoverClient } from '../../base/chain/chain-client.js';
import { loadToken } from '../../base/chain/tokens.js';
import { chainsAt, type Endpoints } from '../../base/embedded/endpoints.js';
import type { ChainSettings } from '../../base/platform/chain-settings.js';
import { createPrivateJson, readJson } from '../../base/platform/private-file.js';
import { type Address, type Network, parseAddress } from '../../base/shared/hex.js';
import { formatUnits, parseUnits } from '../../base/shared/money.js';
import { type AdminClient, AdminRefusal } from './admin-client.js';
import { UsageError } from './command.js';
import type { Sale } from './sell-questions.js';

/** What was published for a sale. */
export interface Published {
  readonly payee: Address;
  /** File of the payee's key, if it was made here. */
  readonly keyFile?: string;
  /** Id of both the route and its tariff. */
  readonly route: string;
  readonly upstreamSecret?: string;
}

/** A chain that the running Tollbook serves. @throws UsageError */
export function chainFor(endpoints: Pick<Endpoints, 'chains'>, network: Network | undefined): ChainSettings {
  const served = chainsAt(endpoints);
  const found = network === undefined ? served[0] : served.find((one) => one.network === network);
  if (found) return found;
  throw new UsageError(`--network is one of ${served.map((one) => one.network).join(', ')}, not ${network}`);
}

/** The token that is paid in, as its chain has it. @throws UsageError */
export async function tokenOf({ network, rpcUrls }: ChainSettings, asset: Address | undefined): Promise<Token> {
  try {
    const client = createFailoverClient(network, rpcUrls);
    const address = asset ?? parseAddress(DEFAULT_ASSETS[network]?.[0]?.asset);
    if (address) return await loadToken(client, network, address);
    throw new UsageError(`There is no well-known dollar on ${network}: name a token with --asset 0x…`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`The token cannot be read from ${rpcUrls.join(', ')}: ${(error as Error).message}`);
  }
}

/** Exact. @throws UsageError for a price that cannot be charged per request */
export function amountOf(price: string, { decimals, name }: Token): bigint {
  const amount = parseUnits(price, decimals);
  if (amount === 'malformed') throw new UsageError(`The price is a number such as 0.002, not "${price}"`);
  if (amount === 'too_fine' || amount === 0n) {
    const least = formatUnits(1n, decimals);
    throw new UsageError(`${price} ${name} cannot be charged: the smallest price is ${least}, one atomic unit`);
  }
  return amount;
}

/** Publishes tenant, tariff and route by REST, in the order in which they need each other. @throws UsageError */
export async function publish(
  admin: AdminClient,
  sale: Sale,
  token: Token,
  amount: bigint,
  isPrivate: boolean,
  dataDir: string,
): Promise<Published> {
  const route = routeIdOf(sale.path);
  const { keyFile, payee, upstreamSecret } = await registerTenant(admin, sale, token, isPrivate, dataDir);
  const tariffPath = `/tariffs/${sale.tenant}/${route}`;
  const rules = { charges: [{ model: 'flat', amount: String(amount) }] };
  await admin.put(tariffPath, { rules }, await admin.find(tariffPath));
  const routePath = `/routes/${sale.tenant}/${route}`;
  const standing = await admin.find(routePath);
  const body = {
    methods: [sale.method],
    pattern: sale.path,
    tariff: route,
    description: `${sale.method} ${sale.path}`,
  };
  await admin.put(routePath, body, standing);
  return { payee, keyFile, route, upstreamSecret };
}

/** A tenant of an earlier sale is used again, but not sent elsewhere. */
async function registerTenant(
  admin: AdminClient,
  { host, payee: named, tenant, upstream }: Sale,
  { address: asset, network }: Token,
  isPrivate: boolean,
  dataDir: string,
): Promise<Omit<Published, 'route'>> {
  const path = `/tenants/${tenant}`;
  const standing = await admin.find(path);
  if (standing) {
    const payee = standing.body.payee as Address;
    const same = standing.body.upstream === upstream && standing.body.host === host && (named ?? payee) === payee;
    if (same) return { payee };
    throw new UsageError(
      `There is a tenant "${tenant}" already, for ${standing.body.upstream}: choose another --tenant`,
    );
  }
  const { keyFile, payee } = named ? { payee: named, keyFile: undefined } : await payeeOf(dataDir, tenant);
  try {
    const registration = { host, upstream, allowPrivateUpstream: isPrivate, payee, network, asset };
    const { body } = await admin.put(path, registration);
    return { payee, keyFile, upstreamSecret: body.upstreamSecret as string | undefined };
  } catch (error) {
    if (!(error instanceof AdminRefusal) || error.code !== 'host_taken') throw error;
    throw new UsageError(`Another tenant has the host ${host}: choose one with --host`);
  }
}

/** An account of its own for the money, in a file that only its owner may read. */
async function payeeOf(dataDir: string, tenant: string): Promise<{ payee: Address; keyFile: string }> {
  const keyFile = join(dataDir, `payee-${tenant}.json`);
  const privateKey = generatePrivateKey();
  await createPrivateJson(keyFile, { privateKey, address: privateKeyToAddress(privateKey) });
  const kept = await readJson<{ address: string }>(keyFile);
  const payee = parseAddress(kept?.address);
  if (!payee) throw new UsageError(`${keyFile} holds no account: move it away, or say --payee 0x…`);
  return { payee, keyFile };
}

/** `/v1/search/:id` is sold as `v1-search-id`. */
export function routeIdOf(path: string): string {
  const id = path
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replaceAll(/^-+|-+$/g, '');
  return id || 'root';
}
