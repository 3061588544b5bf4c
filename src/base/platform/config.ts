import { isIPv4, isIPv6 } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Network } from '../shared/hex.js';
import { type ChainSettings, isHttpUrl, plainChain, readChainsFile } from './chain-settings.js';
import { packageRoot } from './package-root.js';
import { isWellKnownKey, WEAK_SECRET_LENGTH } from './weak-secrets.js';

export type Role = 'all' | 'gateway' | 'control' | 'worker';

export interface Config {
  readonly role: Role;
  readonly port: number;
  readonly adminPort: number;
  readonly adminHost: string;
  /** How buyers reach the gateway; without a slash at the end. */
  readonly publicUrl: string;
  /** Proxies whose `X-Forwarded-For` the gateway believes, as CIDR blocks. */
  readonly trustedProxies: readonly string[];
  /** Unset: Tollbook starts an engine of its own. Likewise the two below. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** Where the chains stand, if a file says so; absolute. */
  readonly chainsFile?: string;
  /** Each network once. */
  readonly chains?: readonly ChainSettings[];
  /** Of the chain that Tollbook starts itself. */
  readonly chainId: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly logLevel: string;
  /** Who screens payers, if anybody does. */
  readonly screening: {
    /** File of addresses that nothing is sold to; absolute. */
    readonly list?: string;
    readonly service?: { readonly url: string; readonly token?: string; readonly timeoutMs: number };
    /** How long a verdict of the service is good for admissions, in milliseconds. */
    readonly freshMs: number;
  };
  /** Which engines Tollbook starts itself. */
  readonly embedded: { readonly postgres: boolean; readonly redis: boolean; readonly chain: boolean };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Lists every bad variable; `message` is for people and names no values. */
export class ConfigError extends Error {}

const port = (fallback: number) => wholeNumber(1, 65_535, 'a port, 1 to 65535').default(fallback);
const key = z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, '32 bytes of hex, with or without 0x');
const keys = z
  .string()
  .regex(
    /^(0x)?[0-9a-fA-F]{64}(\s*,\s*(0x)?[0-9a-fA-F]{64})*$/,
    '32 bytes of hex, with or without 0x, or several such keys with commas between them',
  );
const notEmpty = z.string().min(1);

const schema = z.object({
  ROLE: z.enum(['all', 'gateway', 'control', 'worker'], 'all, gateway, control or worker').default('all'),
  PORT: port(4020),
  ADMIN_PORT: port(4021),
  ADMIN_HOST: z
    .string()
    .regex(/^[\w.:-]+$/, 'a host name or IP address to listen on')
    .default('127.0.0.1'),
  TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(',').map((block) => block.trim()))
    .refine((blocks) => blocks.every(isCidr), 'CIDR blocks with commas between them, such as 10.0.0.0/8,fd00::/8')
    .default([]),
  PUBLIC_URL: url(['http:', 'https:'], 'an http:// or https:// URL').optional(),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'a postgres:// URL').optional(),
  REDIS_URL: url(['redis:', 'rediss:'], 'a redis:// or rediss:// URL').optional(),
  CHAIN_RPC_URL: z
    .string()
    .refine(
      (text) => rpcUrlsIn(text).every(isHttpUrl),
      'an http:// or https:// URL, or several with commas between them',
    )
    .optional(),
  CHAIN_ID: wholeNumber(1, Number.MAX_SAFE_INTEGER, 'a positive whole number').optional(),
  TOLLBOOK_CHAINS: notEmpty.optional(),
  TOLLBOOK_DATA_DIR: notEmpty.default(join(packageRoot, '.tollbook')),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  SCREENING_LIST: notEmpty.optional(),
  SCREENING_URL: url(['http:', 'https:'], 'an http:// or https:// URL').optional(),
  SCREENING_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'printable ASCII without blanks')
    .optional(),
  SCREENING_TIMEOUT_MS: wholeNumber(1, 30_000, 'milliseconds, 1 to 30000').default(2_000),
  SCREENING_FRESH_SECONDS: wholeNumber(1, 604_800, 'seconds, 1 to 604800').default(3_600),
  TOLLBOOK_ADMIN_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'printable ASCII without blanks')
    .optional(),
  TOLLBOOK_SIGNER_KEY: keys.optional(),
  TOLLBOOK_REFUND_KEY: keys.optional(),
  TOLLBOOK_RECEIPT_KEY: key.optional(),
  TOLLBOOK_QUOTE_SECRET: notEmpty.optional(),
});

/** Of the chain that Tollbook starts itself, and of CHAIN_RPC_URL, unless CHAIN_ID says otherwise: Base Sepolia. */
const DEFAULT_CHAIN_ID = 84_532;

/**
 * Reads the environment, and the file that TOLLBOOK_CHAINS names. Relative paths are taken from the current folder.
 *
 * @throws ConfigError
 */
export function loadConfig(env: Environment): Config {
  // An empty variable is how compose files and shells say "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw configError(parsed.error.issues.map((issue) => [String(issue.path[0]), issue.message]));
  const values = parsed.data;
  const chains = chainsIn(values);
  const problems = [
    ...portProblems(values),
    ...secretProblems(values),
    ...('problems' in chains ? chains.problems : []),
  ];
  if ('problems' in chains || problems.length > 0) throw configError(problems);
  return {
    role: values.ROLE,
    port: values.PORT,
    adminPort: values.ADMIN_PORT,
    adminHost: values.ADMIN_HOST,
    publicUrl: (values.PUBLIC_URL ?? `http://localhost:${values.PORT}`).replace(/\/+$/, ''),
    trustedProxies: values.TRUSTED_PROXIES,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    chainsFile: values.TOLLBOOK_CHAINS && resolve(values.TOLLBOOK_CHAINS),
    chains: chains.list,
    chainId: values.CHAIN_ID ?? DEFAULT_CHAIN_ID,
    dataDir: resolve(values.TOLLBOOK_DATA_DIR),
    logLevel: values.LOG_LEVEL,
    screening: screeningIn(values),
    embedded: { postgres: !values.DATABASE_URL, redis: !values.REDIS_URL, chain: !chains.list },
  };
}

type Values = z.infer<typeof schema>;
type Problem = readonly [variable: string, shouldBe: string];

function screeningIn(values: Values): Config['screening'] {
  const { SCREENING_TOKEN: token, SCREENING_TIMEOUT_MS: timeoutMs, SCREENING_URL: address } = values;
  return {
    list: values.SCREENING_LIST && resolve(values.SCREENING_LIST),
    service: address === undefined ? undefined : { url: address, token, timeoutMs },
    freshMs: values.SCREENING_FRESH_SECONDS * 1000,
  };
}

/** By the file, or by the variables of a single chain; both may be given if they do not disagree. */
function chainsIn(values: Values): { readonly list?: readonly ChainSettings[] } | { readonly problems: Problem[] } {
  const { CHAIN_ID: id, CHAIN_RPC_URL: nodes, TOLLBOOK_CHAINS: path } = values;
  const network: Network = `eip155:${id ?? DEFAULT_CHAIN_ID}`;
  if (path === undefined) return nodes === undefined ? {} : { list: [plainChain(network, rpcUrlsIn(nodes))] };
  const list = readChainsFile(resolve(path));
  if ('problems' in list)
    return { problems: list.problems.map(([where, shouldBe]) => [`TOLLBOOK_CHAINS${where}`, shouldBe]) };
  const listed = list.find((one) => one.network === network);
  if (id !== undefined && !listed) return { problems: [['CHAIN_ID', 'left out, or of a chain in TOLLBOOK_CHAINS']] };
  if (nodes !== undefined && listed?.rpcUrls.join() !== rpcUrlsIn(nodes).join())
    return { problems: [['CHAIN_RPC_URL', `left out, or the nodes of ${network} in TOLLBOOK_CHAINS`]] };
  return { list };
}

function portProblems(values: Values): Problem[] {
  return values.PORT === values.ADMIN_PORT ? [['ADMIN_PORT', 'another port than PORT']] : [];
}

/** On a chain of one's own anything goes; where money is real, secrets that others know or can guess do not. */
function secretProblems(values: Values): Problem[] {
  if (!values.CHAIN_RPC_URL && !values.TOLLBOOK_CHAINS) return [];
  const problems: Problem[] = [];
  for (const name of ['TOLLBOOK_SIGNER_KEY', 'TOLLBOOK_REFUND_KEY', 'TOLLBOOK_RECEIPT_KEY'] as const) {
    const secrets = values[name]?.split(',') ?? [];
    if (secrets.some((secret) => isWellKnownKey(secret.trim())))
      problems.push([name, 'a key of your own: this one is a well-known test key']);
  }
  for (const name of ['TOLLBOOK_ADMIN_KEY', 'TOLLBOOK_QUOTE_SECRET'] as const) {
    const secret = values[name];
    if (secret && secret.length < WEAK_SECRET_LENGTH)
      problems.push([name, `random and at least ${WEAK_SECRET_LENGTH} characters long`]);
  }
  return problems;
}

export function configError(problems: readonly Problem[]): ConfigError {
  const lines = problems.map(([variable, shouldBe]) => `  ${variable} should be ${shouldBe}`);
  return new ConfigError(`The configuration cannot be used:\n${lines.join('\n')}`);
}

function wholeNumber(min: number, max: number, shouldBe: string) {
  return z
    .string()
    .regex(/^[0-9]{1,16}$/, { error: shouldBe, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, shouldBe);
}

function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^([0-9a-fA-F.:]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

/** Pure. The nodes that a `CHAIN_RPC_URL` names. */
export function rpcUrlsIn(text: string): readonly string[] {
  return text.split(',').map((one) => one.trim());
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function url(protocols: readonly string[], shouldBe: string) {
  return z.string().refine((text) => isUrl(text, protocols), shouldBe);
}
