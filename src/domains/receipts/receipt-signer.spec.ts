import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { ReceiptSigner } from './receipt-signer.js';

const OLD = `0x${'01'.repeat(32)}` as const;
const NEW = `0x${'02'.repeat(32)}` as const;

describe('ReceiptSigner', () => {
  it('knows the key pair of RFC 8032, test 1', () => {
    const seed = '0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60' as const;
    const [key] = new ReceiptSigner('https://example.com', [seed]).jwks().keys;
    expect(Buffer.from(key!.x, 'base64url').toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
  });

  it.each([
    ['https://pay.example.com', 'did:web:pay.example.com'],
    ['https://pay.example.com:443/', 'did:web:pay.example.com'],
    ['http://localhost:4020', 'did:web:localhost%3A4020'],
    ['http://[::1]:4020', 'did:web:%5B%3A%3A1%5D%3A4020'],
  ])('names itself after %s', (publicUrl, did) => {
    expect(new ReceiptSigner(publicUrl, [OLD]).did).toBe(did);
  });

  it('names a key by its thumbprint (RFC 7638)', async () => {
    const signer = new ReceiptSigner('https://example.com', [OLD]);
    const thumbprint = await calculateJwkThumbprint(signer.jwks().keys[0]!);
    expect(signer.kid).toBe(`did:web:example.com#${thumbprint.slice(0, 16)}`);
  });

  it('signs with the newest key and publishes all', async () => {
    const before = new ReceiptSigner('https://example.com', [OLD]);
    const rotated = new ReceiptSigner('https://example.com', [NEW, OLD]);
    expect(rotated.kid).not.toBe(before.kid);
    expect(rotated.jwks().keys.map((key) => key.kid)).toEqual([rotated.kid, before.kid]);
    expect(rotated.didDocument()).toMatchObject({
      id: 'did:web:example.com',
      verificationMethod: [{ id: rotated.kid }, { id: before.kid }],
      assertionMethod: [rotated.kid, before.kid],
    });
    const { protectedHeader } = await compactVerify(before.sign({ a: 1 }), await importJWK(rotated.jwks().keys[1]!));
    expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: before.kid });
  });

  it('gives the same bytes for the same payload, whatever the order of its members', () => {
    const signer = new ReceiptSigner('https://example.com', [OLD]);
    expect(signer.sign({ b: 1, a: 'é' })).toBe(signer.sign({ a: 'é', b: 1 }));
  });

  it('does not start without a proper key, and does not repeat a bad one', () => {
    expect(() => new ReceiptSigner('https://example.com', [])).toThrow('signing key');
    expect(() => new ReceiptSigner('https://example.com', ['0xsecret'])).toThrow(/^a receipt key is 32 bytes of hex$/);
  });
});
