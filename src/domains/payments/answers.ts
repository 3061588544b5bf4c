import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Attachment } from '../../base/event-store/unit-of-work.js';
import type { CommitmentId } from './commitment.js';
import type { PaymentId } from './payment.js';

/** The answer to one request, as it was or would have been sent. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES_MAX = 0xffff;

/**
 * AES-256-GCM (NIST SP 800-38D) with a key of its own for each answer, so that random nonces stay within that standard's
 * 2^32 uses of one key at any rate; the answer's name is authenticated with it. Layout: version, nonce, ciphertext, tag.
 * @param key 32 bytes or more
 * @param name of what was answered: a payment's id, or another that is used once
 */
export function sealAnswer(key: Buffer, name: string, answer: StoredAnswer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(key, name), nonce).setAAD(Buffer.from(name));
  const head = cipher.update(encodeHead(answer));
  const body = cipher.update(answer.body);
  return Buffer.concat([Buffer.of(VERSION), nonce, head, body, cipher.final(), cipher.getAuthTag()]);
}

/** `undefined` if the bytes were not sealed with this key under this name, or were changed since. */
export function openAnswer(key: Buffer, name: string, sealed: Buffer): StoredAnswer | undefined {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) return undefined;
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', keyOf(key, name), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(tagAt));
  try {
    const plain = decipher.update(sealed.subarray(1 + NONCE_BYTES, tagAt));
    return decode(Buffer.concat([plain, decipher.final()]));
  } catch {
    return undefined;
  }
}

/** The row that keeps an answer, to be stored together with the delivery's events. @param expiresAt epoch milliseconds */
export function answerAttachment(
  key: Buffer,
  paymentId: PaymentId | CommitmentId,
  answer: StoredAnswer,
  expiresAt: number,
): Attachment {
  const ciphertext = sealAnswer(key, paymentId, answer);
  return { table: 'answers', row: { payment_id: paymentId, ciphertext, expires_at: new Date(expiresAt) } };
}

/** Reads the kept answers. They are written with the events, as attachments, and forgotten by `purgeExpired`. */
export class AnswerStore {
  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly key: Buffer,
  ) {}

  /** `undefined` if none was kept, it expired, or its key is no longer known. @param now epoch milliseconds */
  async read(paymentId: PaymentId | CommitmentId, now: number): Promise<StoredAnswer | undefined> {
    const { rows } = await this.pool.query<{ ciphertext: Buffer }>({
      name: 'answer-read',
      text: 'select ciphertext from answers where payment_id = $1 and expires_at > $2',
      values: [paymentId, new Date(now)],
    });
    return rows[0] && openAnswer(this.key, paymentId, rows[0].ciphertext);
  }
}

function keyOf(key: Buffer, name: string): Buffer {
  return createHmac('sha256', key).update(`tollbook-answer\n${name}`).digest();
}

/** Status, number of headers, then each name and value with its length before it, all as 16-bit big-endian; the body follows. */
function encodeHead({ status, headers }: StoredAnswer): Buffer {
  const texts = headers.flat().map((text) => Buffer.from(text, 'latin1'));
  const head = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + 2 + text.length, 4));
  head.writeUInt16BE(status, 0);
  let at = head.writeUInt16BE(headers.length, 2);
  for (const text of texts) {
    if (text.length > HEADER_BYTES_MAX) throw new RangeError(`a header of ${text.length} bytes cannot be kept`);
    at = head.writeUInt16BE(text.length, at);
    at += text.copy(head, at);
  }
  return head;
}

function decode(plain: Buffer): StoredAnswer {
  let at = 4;
  const text = (): string => {
    const start = at + 2;
    at = start + plain.readUInt16BE(at);
    return plain.toString('latin1', start, at);
  };
  const headers: [string, string][] = [];
  for (let left = plain.readUInt16BE(2); left > 0; left--) headers.push([text(), text()]);
  return { status: plain.readUInt16BE(0), headers, body: plain.subarray(at) };
}
