import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Address, type Network, parseAddress, parseNetwork } from '../shared/hex.js';
import { parseUnits } from '../shared/money.js';

/** One chain on which tenants are paid. */
export interface ChainSettings {
  readonly network: Network;
  /** Its nodes, the preferred one first; at least one. */
  readonly rpcUrls: readonly string[];
  /** By amount, the smallest first; the first begins at 0. */
  readonly confirmations: readonly ConfirmationRule[];
  /** Most that is paid per unit of gas, tip included, in wei; none for the built-in cap. */
  readonly maxFeePerGas?: bigint;
  /** Tokens that have to be fit for use at start-up, besides those of tenants. */
  readonly tokens: readonly Address[];
}

/** How deep the block of a transfer has to lie until the payment counts as settled. */
export interface ConfirmationRule {
  /** Smallest amount that it is for, in whole units of the token, such as `100` or `0.5`. */
  readonly from: string;
  /** 1: in a block. */
  readonly blocks: number;
}

/** What is wrong with a value, and where it stands, as in `[1].rpcUrls[0]`. */
export type SettingProblem = readonly [where: string, shouldBe: string];

const GWEI_DECIMALS = 9;
const BLOCKS_MAX = 10_000;
/** Finer than any token, so that two amounts can be compared whatever the token's decimals are. */
const COMPARED_DECIMALS = 38;

const rule = z.strictObject({
  from: z
    .string('a decimal string, such as "100" or "0.5"')
    .refine(isAmount, 'a decimal string, such as "100" or "0.5"'),
  blocks: z.int('a whole number of blocks').min(1, 'at least 1 block').max(BLOCKS_MAX, `at most ${BLOCKS_MAX} blocks`),
});

const chain = z.strictObject({
  network: z
    .string('a CAIP-2 id of an EVM chain, such as eip155:8453')
    .transform(parseNetwork)
    .refine((network) => network !== undefined, 'a CAIP-2 id of an EVM chain, such as eip155:8453'),
  rpcUrls: z
    .array(z.string('an http:// or https:// URL').refine(isHttpUrl, 'an http:// or https:// URL'), 'a list of URLs')
    .min(1, 'a list of at least one URL'),
  confirmations: z
    .array(rule, 'a list of { "from", "blocks" }')
    .min(1, 'a list of at least one { "from", "blocks" }')
    .refine((rules) => !isAmount(rules[0]?.from) || amountOf(rules[0].from) === 0n, 'a list that begins at "0"')
    .refine(isAscending, 'sorted by "from", each larger than the one before')
    .default([{ from: '0', blocks: 1 }]),
  maxFeePerGasGwei: z
    .string('a decimal string in gwei, such as "50" or "0.1"')
    .refine(isFee, 'a decimal string in gwei, such as "50" or "0.1"')
    .optional(),
  tokens: z
    .array(
      z
        .string('an address of 20 bytes in hex')
        .transform(parseAddress)
        .refine((address) => address !== undefined, 'an address of 20 bytes in hex'),
      'a list of addresses',
    )
    .default([]),
});

const file = z.array(chain, 'a list of chains').min(1, 'a list of at least one chain');

/** A chain about which nothing is said but where its nodes are. */
export function plainChain(network: Network, rpcUrls: readonly string[]): ChainSettings {
  return { network, rpcUrls, confirmations: [{ from: '0', blocks: 1 }], tokens: [] };
}

/** Reads the chains in a JSON file, or says everything that is wrong with it. */
export function readChainsFile(path: string): readonly ChainSettings[] | { readonly problems: SettingProblem[] } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { problems: [['', 'the path of a file that can be read']] };
  }
  return parseChains(text);
}

/** Pure. */
export function parseChains(text: string): readonly ChainSettings[] | { readonly problems: SettingProblem[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problems: [['', 'the path of a JSON file']] };
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(problemsOf) };
  const repeated = parsed.data.findIndex(
    ({ network }, n) => parsed.data.findIndex((one) => one.network === network) < n,
  );
  if (repeated >= 0) return { problems: [[`[${repeated}].network`, 'in the list once']] };
  return parsed.data.map(({ maxFeePerGasGwei: gwei, ...settings }) => ({
    ...settings,
    ...(gwei === undefined ? {} : { maxFeePerGas: parseUnits(gwei, GWEI_DECIMALS) as bigint }),
  })) as readonly ChainSettings[];
}

function problemsOf(issue: z.core.$ZodIssue): SettingProblem[] {
  if (issue.code !== 'unrecognized_keys') return [[placeOf(issue.path), issue.message]];
  return issue.keys.map((key) => [placeOf([...issue.path, key]), 'left out: there is no such setting']);
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function amountOf(text: string): bigint {
  return parseUnits(text, COMPARED_DECIMALS) as bigint;
}

function isAmount(text: unknown): text is string {
  return typeof text === 'string' && typeof parseUnits(text, COMPARED_DECIMALS) === 'bigint';
}

function isFee(text: string): boolean {
  const fee = parseUnits(text, GWEI_DECIMALS);
  return typeof fee === 'bigint' && fee > 0n;
}

/** What is no amount has been named already. */
function isAscending(rules: readonly ConfirmationRule[]): boolean {
  const amounts = rules.filter(({ from }) => isAmount(from)).map(({ from }) => amountOf(from));
  return amounts.every((amount, n) => n === 0 || amount > amounts[n - 1]!);
}
