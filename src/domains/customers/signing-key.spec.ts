import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { keyIdOf, parseSigningKey, type SigningJwk } from './signing-key.js';

/** RFC 8037, appendix A. */
const X = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const okp = (x: string) => ({ kty: 'OKP', crv: 'Ed25519', x });

describe('a signing key', () => {
  it('is named as RFC 8037 and others name it', async () => {
    expect(keyIdOf(okp(X) as SigningJwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    const made = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    expect(keyIdOf(parseSigningKey(made) as SigningJwk)).toBe(await calculateJwkThumbprint(made));
  });

  it('is what matters of a member of a key set', () => {
    expect(parseSigningKey({ ...okp(X), kid: 'mine', use: 'sig', alg: 'EdDSA', exp: 1 })).toEqual(okp(X));
  });

  it.each([
    ['nothing', undefined],
    ['another kind', { kty: 'EC', crv: 'P-256', x: X, y: X }],
    ['another curve', { ...okp(X), crv: 'X25519' }],
    ['too short', okp(X.slice(1))],
    ['bytes written in another way', okp(`${X.slice(0, 42)}p`)],
    ['no text', { ...okp(X), x: 5 }],
  ])('is not taken: %s', (_what, jwk) => {
    expect(parseSigningKey(jwk)).toBeUndefined();
  });

  it('is told from a private one', () => {
    expect(parseSigningKey(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))).toBe('private');
  });

  it('is not taken if anybody can sign under it', () => {
    const hex = (text: string) => Buffer.from(text, 'hex');
    // Under the neutral element, the signature (R = A, s = 0) holds for every message.
    const neutral = hex(`01${'00'.repeat(31)}`);
    const jwk = okp(neutral.toString('base64url'));
    const forged = Buffer.concat([neutral, Buffer.alloc(32)]);
    expect(verify(null, Buffer.from('I owe you'), createPublicKey({ key: jwk, format: 'jwk' }), forged)).toBe(true);
    expect(parseSigningKey(jwk)).toBeUndefined();
    // With the sign of x, and with y written above the prime.
    for (const other of [`01${'00'.repeat(30)}80`, `ee${'ff'.repeat(30)}7f`, `ec${'ff'.repeat(30)}ff`]) {
      expect(parseSigningKey(okp(hex(other).toString('base64url')))).toBeUndefined();
    }
  });

  it('verifies what its owner signed', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const jwk = parseSigningKey(publicKey.export({ format: 'jwk' })) as SigningJwk;
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    expect(verify(null, Buffer.from('text'), key, sign(null, Buffer.from('text'), privateKey))).toBe(true);
  });
});
