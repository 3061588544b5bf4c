import { createSiweMessage } from 'viem/siwe';
import { z } from 'zod';
import { type Address, type Hex, type Network, parseAddress, parseNetwork } from '../shared/hex.js';

/** Request header of the x402 extension `sign-in-with-x` (CAIP-122), in lower case as Node gives it. */
export const SIGN_IN_HEADER = 'sign-in-with-x';

/** Far above any sign-in; characters. */
const HEADER_MAX = 4_096;

/** `Date.toISOString`, which is what official clients sign: then the signed text can be made again exactly. */
const instant = z.iso.datetime({ precision: 3 });
const text = z.string().max(500);

const payloadSchema = z.object({
  domain: text,
  address: z.string().refine((value) => parseAddress(value) !== undefined),
  statement: text.optional(),
  uri: z.url().max(2_048),
  version: z.literal('1'),
  chainId: z.string().refine((value) => parseNetwork(value) !== undefined),
  type: z.literal('eip191'),
  nonce: z.string().regex(/^[A-Za-z0-9]{8,200}$/),
  issuedAt: instant,
  expirationTime: instant.optional(),
  notBefore: instant.optional(),
  requestId: text.optional(),
  resources: z.array(z.url().max(500)).max(10).optional(),
  signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/),
});

/** What an address signed to say that it is the one that calls. Times are epoch milliseconds. */
export interface SignIn {
  readonly address: Address;
  readonly network: Network;
  readonly domain: string;
  readonly uri: string;
  readonly issuedAt: number;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  /** The text that was signed (EIP-4361). */
  readonly message: string;
  readonly signature: Hex;
}

/** `undefined` for anything that is no sign-in of an EVM address; its signature is not checked here. */
export function decodeSignIn(header: string): SignIn | undefined {
  if (header.length > HEADER_MAX) return undefined;
  const payload = payloadSchema.safeParse(parse(header)).data;
  if (!payload) return undefined;
  const network = parseNetwork(payload.chainId)!;
  const [issuedAt, expiresAt, notBefore] = [payload.issuedAt, payload.expirationTime, payload.notBefore].map(
    (time) => time && new Date(time),
  ) as [Date, Date | undefined, Date | undefined];
  const message = textOf(payload, { issuedAt, expirationTime: expiresAt, notBefore });
  if (message === undefined) return undefined;
  return {
    address: parseAddress(payload.address)!,
    network,
    ...{ domain: payload.domain, uri: payload.uri, message, signature: payload.signature as Hex },
    ...{ issuedAt: issuedAt.getTime(), expiresAt: expiresAt?.getTime(), notBefore: notBefore?.getTime() },
  };
}

/** `undefined` if EIP-4361 has no text for it. */
function textOf(
  { address, chainId, domain, nonce, requestId, resources, statement, uri }: z.output<typeof payloadSchema>,
  times: { readonly issuedAt: Date; readonly expirationTime?: Date; readonly notBefore?: Date },
): string | undefined {
  try {
    return createSiweMessage({
      ...{ address: address as Address, chainId: Number(chainId.slice('eip155:'.length)) },
      ...{ domain, nonce, requestId, resources, statement, uri, version: '1', ...times },
    });
  } catch {
    return undefined;
  }
}

function parse(header: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString());
  } catch {
    return undefined;
  }
}
