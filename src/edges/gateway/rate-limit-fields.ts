import { type Item, serializeList } from 'structured-headers';

/** Largest integer of a structured field (RFC 9651, section 3.3.1): 15 digits. */
const FIELD_INTEGER_MAX = 999_999_999_999_999;

/** One policy that a request ran into, and where its caller stands under it. */
export interface ServiceLimit {
  /** Stable name of the policy, printable ASCII. */
  readonly policy: string;
  /** What a window grants, in `unit`. */
  readonly quota: number | bigint;
  /** What is left of it. */
  readonly remaining: number | bigint;
  /** Length of the window in seconds; left out if there is none, as for a quota without an end. */
  readonly windowSeconds?: number;
  /** Seconds until there is more of it, rounded up; left out if that is not known. */
  readonly resetSeconds?: number;
  /** Other units than the draft's own default, `requests`. */
  readonly unit?: string;
}

/**
 * The header fields of a 429: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), and
 * `Retry-After` (RFC 9110, section 10.2.3), which is never earlier than the latest reset among the limits.
 */
export function rateLimitFields(limits: readonly ServiceLimit[]): Record<string, string> {
  const resets = limits.flatMap(({ resetSeconds }) => (resetSeconds === undefined ? [] : [Math.ceil(resetSeconds)]));
  return {
    ...standingFields(limits),
    ...(resets.length > 0 && { 'retry-after': String(Math.max(1, ...resets)) }),
  };
}

/** `RateLimit-Policy` and `RateLimit` alone: where a caller stands whose request was taken. */
export function standingFields(limits: readonly ServiceLimit[]): Record<string, string> {
  return {
    'ratelimit-policy': serializeList(limits.map(policyItem)),
    ratelimit: serializeList(limits.map(limitItem)),
  };
}

function policyItem({ policy, quota, unit, windowSeconds }: ServiceLimit): Item {
  const parameters = new Map<string, number | string>([['q', fieldInteger(quota)]]);
  if (unit !== undefined) parameters.set('qu', unit);
  if (windowSeconds !== undefined) parameters.set('w', windowSeconds);
  return [policy, parameters];
}

function limitItem({ policy, remaining, resetSeconds }: ServiceLimit): Item {
  const parameters = new Map([['r', fieldInteger(remaining)]]);
  if (resetSeconds !== undefined) parameters.set('t', Math.ceil(resetSeconds));
  return [policy, parameters];
}

/** A quota of more than 15 digits is told as the largest that the field can hold. */
function fieldInteger(value: number | bigint): number {
  return value > FIELD_INTEGER_MAX ? FIELD_INTEGER_MAX : Number(value);
}
