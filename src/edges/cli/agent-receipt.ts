import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';

/** What the buyer could find out about the receipt that came with an answer. */
export type ReceiptMark = { readonly state: 'verified' | 'invalid' | 'none' };

/**
 * Checks the JWS of the official `offer-receipt` extension against the gateway's published keys
 * (`/.well-known/jwks.json`, RFC 7517). Keys are asked for each time: a rotated key must not look invalid.
 */
export async function receiptMark(
  gateway: string,
  extensions: Record<string, unknown> | undefined,
): Promise<ReceiptMark> {
  const jws = receiptOf(extensions);
  if (jws === undefined) return { state: 'none' };
  try {
    const key = await keyFor(gateway, decodeProtectedHeader(jws).kid);
    await compactVerify(jws, key);
    return { state: 'verified' };
  } catch {
    return { state: 'invalid' };
  }
}

function receiptOf(extensions: Record<string, unknown> | undefined): string | undefined {
  const extension = extensions?.['offer-receipt'] as { info?: { receipt?: { signature?: unknown } } } | undefined;
  const signature = extension?.info?.receipt?.signature;
  return typeof signature === 'string' ? signature : undefined;
}

/** A receipt names its key by DID URL; the fragment is the key id in the JWK set. */
async function keyFor(gateway: string, kid: string | undefined) {
  const id = kid?.split('#').at(-1);
  const response = await fetch(new URL('/.well-known/jwks.json', gateway));
  const { keys } = (await response.json()) as { keys: JWK[] };
  const jwk = keys.find((key) => key.kid === id || key.kid === kid);
  if (jwk === undefined) throw new Error(`no key ${kid}`);
  return importJWK(jwk, 'EdDSA');
}
