import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, type Json, type JsonObject } from '../../shared/json.js';
import { HASH_BYTES, leafHash, sha256 } from './merkle.js';

const decimal = z.string().regex(/^[1-9][0-9]{0,18}$/);
const hashText = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const payloadSchema = z.strictObject({
  type: z.literal('tollbook-seal'),
  version: z.literal(1),
  /** 1 for the first seal. */
  number: z.number().int().min(1),
  from: decimal,
  to: decimal,
  /** RFC 6962 root over the leaves of its events. */
  root: hashText,
  /** SHA-256 of the canonical payload before; '' for the first. */
  previous: z.union([hashText, z.literal('')]),
  /** RFC 6962 root over the canonical payloads of all earlier seals; '' for the first. */
  history: z.union([hashText, z.literal('')]),
  sealedAt: z.iso.datetime({ precision: 3 }),
});

/** What a seal says. Positions are decimal, both included; hashes base64url. */
export type SealPayload = z.infer<typeof payloadSchema>;

export interface Seal {
  readonly payload: SealPayload;
  readonly from: bigint;
  readonly to: bigint;
  /** Of its range, 32 bytes. */
  readonly root: Buffer;
  /** What the next seal names as `previous`. */
  readonly digest: string;
  /** In the tree of all seals. */
  readonly leaf: Buffer;
  /** Compact, RFC 7515. */
  readonly jws: string;
}

/** Reads a seal without checking who signed it; `undefined` if it is none, or not in canonical form. */
export function readSeal(jws: string): Seal | undefined {
  const parts = jws.split('.');
  if (parts.length !== 3) return undefined;
  const text = Buffer.from(parts[1]!, 'base64url').toString();
  const parsed = payloadSchema.safeParse(parseJson(text));
  if (!parsed.success || canonicalJson(parsed.data as unknown as JsonObject) !== text) return undefined;
  const { from, root, to } = parsed.data;
  if (Buffer.from(text).toString('base64url') !== parts[1]) return undefined;
  return {
    payload: parsed.data,
    from: BigInt(from),
    to: BigInt(to),
    root: Buffer.from(root, 'base64url'),
    digest: sha256(text).toString('base64url'),
    leaf: leafHash(text),
    jws,
  };
}

/** RFC 8037 public keys by `kid`, as `/.well-known/jwks.json` publishes them. */
export interface SealKeys {
  readonly keys: readonly {
    readonly kid: string;
    readonly kty: 'OKP';
    readonly crv: 'Ed25519';
    readonly x: string;
  }[];
}

/** What signs seals, and the keys that they verify with. */
export interface SealSigner {
  /** Compact JWS over the canonical JSON of the payload. */
  sign(payload: JsonObject): string;
  jwks(): SealKeys;
}

/** A `kid` is a DID URL; what stands before its fragment is the host of the day, which may have moved since. */
function thumbprintIn(kid: string): string {
  return kid.slice(kid.indexOf('#') + 1);
}

/** Says whether a compact JWS was signed with one of the keys given. */
export class SignatureCheck {
  private readonly keys: ReadonlyMap<string, KeyObject>;

  constructor({ keys }: SealKeys) {
    const importKey = ({ crv, kty, x }: SealKeys['keys'][number]) =>
      createPublicKey({ key: { crv, kty, x }, format: 'jwk' });
    this.keys = new Map(keys.map((key) => [thumbprintIn(key.kid), importKey(key)]));
  }

  isSigned(jws: string): boolean {
    const [head = '', payload = '', signature = ''] = jws.split('.');
    const header = parseJson(Buffer.from(head, 'base64url').toString()) as { alg?: unknown; kid?: unknown } | undefined;
    const key = header?.alg === 'EdDSA' ? this.keys.get(thumbprintIn(String(header.kid))) : undefined;
    const bytes = Buffer.from(signature, 'base64url');
    // Only one spelling of the signature is ours.
    if (key === undefined || bytes.toString('base64url') !== signature) return false;
    return verify(null, Buffer.from(`${head}.${payload}`), key, bytes);
  }
}

/** The seal after `last` over a range of events. */
export function nextSeal(
  last: Seal | undefined,
  history: Buffer | undefined,
  range: { readonly from: bigint; readonly to: bigint; readonly root: Buffer },
  sealedAt: Date,
): SealPayload {
  if (range.root.length !== HASH_BYTES) throw new Error('a root has 32 bytes');
  return {
    type: 'tollbook-seal',
    version: 1,
    number: (last?.payload.number ?? 0) + 1,
    from: range.from.toString(),
    to: range.to.toString(),
    root: range.root.toString('base64url'),
    previous: last?.digest ?? '',
    history: history?.toString('base64url') ?? '',
    sealedAt: sealedAt.toISOString(),
  };
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
