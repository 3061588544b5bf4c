import { z } from 'zod';
import type { TransferAuthorization } from '../chain/chain.js';
import { type Hex, parseAddress, parseBytes32, parseNetwork } from '../shared/hex.js';
import { parseAtomic } from '../shared/money.js';
import { COMMITMENT_NETWORK, COMMITMENT_SCHEME } from './commitment-offer.js';
import { networkOfV1Name } from './networks.js';

const MAX_SIGNATURE_BYTES = 4096;
const SIGNATURE = new RegExp(`^0x(?:[0-9a-fA-F]{2}){1,${MAX_SIGNATURE_BYTES}}$`);

/** A field whose text `parse` turns into its value; `undefined` from `parse` means: not what was expected. */
function field<T>(parse: (value: unknown) => T | undefined, expected: string) {
  return z.unknown().transform((value, context): T => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return z.NEVER;
  });
}

const address = field(parseAddress, 'an address: 0x and 40 hex digits');
const atomic = field(parseAtomic, 'a decimal string without sign, exponent or leading zero');
const signature = field(
  (value) => (typeof value === 'string' && SIGNATURE.test(value) ? (value.toLowerCase() as Hex) : undefined),
  `0x and the hex digits of 1 to ${MAX_SIGNATURE_BYTES} bytes`,
);

/** EIP-3009 authorization as `exact` payloads carry it (x402 scheme_exact_evm). Unknown members are refused: they would not be signed. */
const authorization = z.strictObject({
  from: address,
  to: address,
  value: atomic,
  validAfter: atomic,
  validBefore: atomic,
  nonce: field(parseBytes32, '32 bytes: 0x and 64 hex digits'),
}) satisfies z.ZodType<TransferAuthorization>;

const payload = z.object({ authorization, signature });
const scheme = z.literal('exact', 'expected exact');

/** The members that clients may add to or leave out; `null` means absent. */
const openObject = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});

/** What a version 2 server offers, and its client says that it accepts. */
export const requirementsV2 = z.strictObject({
  scheme,
  network: field(parseNetwork, 'a CAIP-2 id of an EVM chain, such as eip155:8453'),
  amount: atomic,
  asset: address,
  payTo: address,
  maxTimeoutSeconds: z.number().int().positive(),
  extra: openObject,
});

/** Version 2 payload. `accepted` must be what was offered, so it has no room for more; `extra` and `extensions` have. */
export const paymentV2 = z.object({
  accepted: requirementsV2,
  payload,
  extensions: openObject,
  resource: z.object({ url: z.string() }).nullish().catch(undefined),
});

const commitmentAmount = { amount: atomic, asset: z.string().regex(/^[A-Z]{3}$/, 'expected a currency, such as USD') };

/**
 * A commitment. What it accepted is matched leniently, since examples of the binding leave out what was offered and add what was not: the
 * quote alone says what was agreed, and the signature of the request covers all of it.
 */
export const commitmentV2 = z.object({
  accepted: z.object({
    ...commitmentAmount,
    scheme: z.literal(COMMITMENT_SCHEME),
    network: z.literal(COMMITMENT_NETWORK, `expected ${COMMITMENT_NETWORK}`),
    payTo: z.string(),
    extra: openObject,
  }),
  payload: z.strictObject({
    ...commitmentAmount,
    customer: z.string().regex(/^[\w-]{1,64}$/, 'expected an account id'),
  }),
});

const v1Network = field(
  (value) => (typeof value === 'string' ? networkOfV1Name(value) : undefined),
  'the version 1 name of an EVM network, such as base',
);

/** Version 1 payload: echoes no terms but scheme and network. */
export const paymentV1 = z.object({ scheme, network: v1Network, payload });

/** What a version 1 server offers. */
export const requirementsV1 = z.object({
  scheme,
  network: v1Network,
  maxAmountRequired: atomic,
  asset: address,
  payTo: address,
  resource: z.string().optional().catch(undefined),
});

/** What servers send to a facilitator, in either version. */
export const facilitatorBody = z.object({
  x402Version: z.number(),
  paymentPayload: z.looseObject({ x402Version: z.unknown() }),
  paymentRequirements: z.looseObject({}),
});
