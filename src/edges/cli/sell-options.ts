import { type Address, type Network, parseAddress, parseNetwork } from '../../base/shared/hex.js';
import { idSchema } from '../../domains/pricing/catalogue.schemas.js';
import { parseFlags, UsageError } from './command.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What is to be sold; what is absent is asked for on a terminal. */
export interface SellOptions {
  /** Origin, such as http://127.0.0.1:9000. */
  readonly upstream?: string;
  /** Path of the upstream that is sold, and the one that buyers ask for. */
  readonly path?: string;
  /** In the token's own unit, dollars for USDC: a decimal number. */
  readonly price?: string;
  readonly method: (typeof METHODS)[number];
  readonly tenant: string;
  /** Host name that leads buyers to the gateway. */
  readonly host: string;
  readonly payee?: Address;
  /** The first that is served, if none is named. */
  readonly network?: Network;
  readonly asset?: Address;
  /** Permits an upstream on a private address that is not this machine. */
  readonly allowPrivate: boolean;
}

export const SELL_USAGE =
  'Usage: npm run sell -- --upstream http://127.0.0.1:9000 --path /v1/search --price 0.002\n' +
  '  [--method GET] [--tenant my-api] [--host my-api.localhost] [--payee 0x…]\n' +
  '  [--network eip155:8453] [--asset 0x…] [--allow-private]';

const FLAGS = {
  upstream: { type: 'string' },
  path: { type: 'string' },
  price: { type: 'string' },
  method: { type: 'string', default: 'GET' },
  tenant: { type: 'string', default: 'my-api' },
  host: { type: 'string' },
  payee: { type: 'string' },
  network: { type: 'string' },
  asset: { type: 'string' },
  'allow-private': { type: 'boolean', default: false },
} as const;

/** @throws UsageError */
export function parseSellOptions(args: readonly string[]): SellOptions {
  const flags = parseFlags(args, FLAGS, SELL_USAGE);
  const { host, path, price, tenant, upstream } = flags;
  const method = METHODS.find((known) => known === flags.method.toUpperCase());
  if (!method) throw new UsageError(`--method is one of ${METHODS.join(', ')}, not "${flags.method}"`);
  if (!idSchema.safeParse(tenant).success) {
    throw new UsageError(`--tenant is a name of lower-case letters, digits, - and _, not "${tenant}"`);
  }
  return {
    upstream: upstream === undefined ? undefined : originOf(upstream),
    path: path === undefined ? undefined : pathOf(path),
    price,
    method,
    tenant,
    host: host ?? `${tenant.replaceAll('_', '-')}.localhost`,
    payee: addressOf('--payee', flags.payee),
    network: networkOf(flags.network),
    asset: addressOf('--asset', flags.asset),
    allowPrivate: flags['allow-private'],
  };
}

/** @throws UsageError for what is no origin of an API */
export function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`The upstream is the address of your API, such as http://127.0.0.1:9000, not "${text}"`);
  }
  if (url.origin === text || `${url.origin}/` === text) return url.origin;
  throw new UsageError(`The upstream is an origin without a path: --upstream ${url.origin} --path ${url.pathname}`);
}

/** @throws UsageError for what is no path */
export function pathOf(text: string): string {
  if (/^\/[^\s?#]*$/.test(text)) return text;
  throw new UsageError(`The path begins with / and has no query, such as /v1/search, not "${text}"`);
}

function networkOf(text: string | undefined): Network | undefined {
  const network = parseNetwork(text);
  if (text === undefined || network) return network;
  throw new UsageError(`--network is the CAIP-2 id of an EVM chain, such as eip155:8453, not "${text}"`);
}

function addressOf(flag: string, text: string | undefined): Address | undefined {
  const address = parseAddress(text);
  if (text === undefined || address) return address;
  throw new UsageError(`${flag} is an address of 0x and 40 hex digits, not "${text}"`);
}
