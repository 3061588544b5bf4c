import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { HmacKey } from './hmac-key.js';

describe('HmacKey', () => {
  it('is HMAC-SHA256 for every key and text, in any order', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 1_300, maxLength: 9_000 })));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), texts, (secret, list) => {
        const key = new HmacKey(secret);
        for (const text of list) {
          expect(key.digest(text)).toBe(createHmac('sha256', secret).update(text).digest('base64url'));
        }
      }),
    );
  });

  it('agrees with RFC 4231, test case 2', () => {
    const digest = new HmacKey(Buffer.from('Jefe')).digest('what do ya want for nothing?');
    expect(Buffer.from(digest, 'base64url').toString('hex')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});
