import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { answerAttachment, openAnswer, type StoredAnswer, sealAnswer } from './answers.js';
import type { PaymentId } from './payment.js';

const key = randomBytes(32);
const id: PaymentId = 'pay_00000000000000000000000000000001';
const other: PaymentId = 'pay_00000000000000000000000000000002';
const answer: StoredAnswer = {
  status: 200,
  headers: [
    ['content-type', 'text/plain'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=é'],
  ],
  body: Buffer.from('twelve degrees'),
};

describe('sealed answers', () => {
  it('opens to what was sealed', () => expect(openAnswer(key, id, sealAnswer(key, id, answer))).toEqual(answer));

  it('shows neither headers nor body, and no two are alike', () => {
    const sealed = sealAnswer(key, id, answer);
    expect(sealed.includes('twelve')).toBe(false);
    expect(sealed.includes('cookie')).toBe(false);
    expect(sealAnswer(key, id, answer).equals(sealed)).toBe(false);
  });

  it('belongs to its payment and its key', () => {
    const sealed = sealAnswer(key, id, answer);
    expect(openAnswer(key, other, sealed)).toBeUndefined();
    expect(openAnswer(randomBytes(32), id, sealed)).toBeUndefined();
  });

  it('does not open if any byte was changed or cut off', () => {
    const sealed = sealAnswer(key, id, answer);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(openAnswer(key, id, changed)).toBeUndefined();
      expect(openAnswer(key, id, sealed.subarray(0, at))).toBeUndefined();
    }
  });

  it('keeps any status, latin-1 headers and any bytes', () => {
    const text = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
    const answers = fc.record({
      status: fc.integer({ min: 200, max: 599 }),
      headers: fc.array(fc.tuple(text, text)),
      body: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(fc.property(answers, (any) => expect(openAnswer(key, id, sealAnswer(key, id, any))).toEqual(any)));
  });

  it('becomes a row beside the events', () => {
    const { table, row } = answerAttachment(key, id, answer, Date.UTC(2026, 10, 1));
    expect(table).toBe('answers');
    expect(row.payment_id).toBe(id);
    expect(row.expires_at).toEqual(new Date('2026-11-01T00:00:00Z'));
    expect(openAnswer(key, id, row.ciphertext as Buffer)).toEqual(answer);
  });
});
