import { z } from 'zod';
import { type Hex, type Network, parseBytes32 } from '../../../base/shared/hex.js';
import { networkOfV1Name } from '../../../base/x402/networks.js';
import { withoutSecrets } from './without-secrets.js';

/** What is kept of a facilitator's own words, and what is read of them. */
const DETAIL_MAX = 200;
const READ_MAX = 2_000;

/** What came back over HTTP, or did not. */
export type HttpAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  /** Nothing was sent: no connection, or an address that may not be called. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** It may have been received: a timeout, a broken or an endless answer. */
  | { readonly kind: 'broken'; readonly detail: string };

/**
 * What a facilitator says about a settlement. None of it decides anything: it says where to look, and how long it is worth it.
 * - `claimed`: settled, in this transaction, if it names one of this network.
 * - `refused`: it will not settle it.
 * - `unreachable`: it has not heard of it.
 * - `unknown`: anything else; it may or may not settle it.
 */
export type SettleAnswer =
  | { readonly kind: 'claimed'; readonly transaction: Hex | undefined; readonly detail: string }
  | { readonly kind: 'refused' | 'unreachable' | 'unknown'; readonly detail: string };

/** Members may be null where they are absent (x402 specification, SettleResponse); others do not count. */
const settleSchema = z.object({
  success: z.boolean(),
  transaction: z.string().nullish(),
  network: z.string().nullish(),
  errorReason: z.string().nullish(),
});

/** Somebody may have broadcast it, says the facilitator: then the chain is worth waiting for. */
const UNDER_WAY = /pending|already|duplicate|nonce|used/i;
/** Statuses by which it does not refuse: Request Timeout, Conflict, Too Early, and those of no class. */
const UNDECIDED = new Set([408, 409, 425]);

/** Pure. @param secrets that the facilitator was shown: it may echo them, and its words are logged */
export function settleAnswerOf(answer: HttpAnswer, network: Network, secrets: readonly string[]): SettleAnswer {
  if (answer.kind !== 'answered') {
    return { kind: answer.kind === 'broken' ? 'unknown' : 'unreachable', detail: inWords(answer.detail, secrets) };
  }
  const { body, status } = answer;
  const said = settleSchema.safeParse(jsonOf(body)).data;
  const isError = status >= 400 && status < 500 && !UNDECIDED.has(status);
  if (said?.success === false && (status === 200 || isError)) {
    const reason = said.errorReason ?? 'without a reason';
    return { kind: UNDER_WAY.test(reason) ? 'unknown' : 'refused', detail: inWords(reason, secrets) };
  }
  if (isError) return { kind: 'refused', detail: `status ${status}` };
  if (status !== 200 || said?.success !== true) return { kind: 'unknown', detail: `status ${status}` };
  const transaction = parseBytes32(said.transaction);
  if (transaction === undefined) return { kind: 'claimed', transaction, detail: 'success without a transaction' };
  if (isNetwork(said.network, network)) return { kind: 'claimed', transaction, detail: `success: ${transaction}` };
  return { kind: 'claimed', transaction: undefined, detail: 'success on another network' };
}

const supportedSchema = z.object({
  kinds: z.array(z.object({ x402Version: z.number(), scheme: z.string(), network: z.string() })),
});

/** Pure. Versions of x402 in which it settles `exact` payments on this network; `undefined` if it does not say. */
export function versionsIn(answer: HttpAnswer, network: Network): readonly (1 | 2)[] | undefined {
  if (answer.kind !== 'answered' || answer.status !== 200) return undefined;
  const said = supportedSchema.safeParse(jsonOf(answer.body)).data;
  if (!said) return undefined;
  const fitting = said.kinds.filter((kind) => kind.scheme === 'exact' && isNetwork(kind.network, network));
  return ([2, 1] as const).filter((version) => fitting.some(({ x402Version }) => x402Version === version));
}

/** In the words of either version; a facilitator of all EVM chains may say so. */
function isNetwork(name: string | null | undefined, network: Network): boolean {
  if (name === null || name === undefined) return false;
  return name === network || name === 'eip155:*' || networkOfV1Name(name) === network;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** On one line of a log. */
function inWords(text: string, secrets: readonly string[]): string {
  return withoutSecrets(text.slice(0, READ_MAX), secrets)
    .slice(0, DETAIL_MAX)
    .replace(/\p{Cc}/gu, '\ufffd')
    .toWellFormed();
}
