import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { storeAttachments } from '../../src/base/event-store/attachments.js';
import { AnswerStore, answerAttachment, type StoredAnswer } from '../../src/domains/payments/answers.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { freshDatabase } from '../support/engines.js';

const NOW = Date.UTC(2026, 10, 1);
const answer: StoredAnswer = { status: 200, headers: [['content-type', 'text/plain']], body: Buffer.from('sunny') };
const id = (number: number): PaymentId => `pay_${String(number).padStart(32, '0')}`;

describe('the store of kept answers', () => {
  const key = randomBytes(32);
  let pool: pg.Pool;
  let store: AnswerStore;

  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase() });
    store = new AnswerStore(pool, key);
  });

  afterAll(() => pool.end());

  async function keep(payment: PaymentId, kept: StoredAnswer, expiresAt: number): Promise<void> {
    const connection = await pool.connect();
    try {
      await storeAttachments(connection, [answerAttachment(key, payment, kept, expiresAt)]);
    } finally {
      connection.release();
    }
  }

  it('gives an answer back until it expires', async () => {
    await keep(id(1), answer, NOW + 1000);
    expect(await store.read(id(1), NOW)).toEqual(answer);
    expect(await store.read(id(1), NOW + 1000)).toBeUndefined();
    expect(await store.read(id(2), NOW)).toBeUndefined();
  });

  it('does not read an answer of another key', async () => {
    await keep(id(3), answer, NOW + 1000);
    expect(await new AnswerStore(pool, randomBytes(32)).read(id(3), NOW)).toBeUndefined();
  });

  it('forgets what has expired, and only that', async () => {
    await keep(id(4), answer, NOW + 5000);
    await keep(id(5), answer, NOW + 5001);
    await store.purge(NOW + 4999);
    expect(await store.purge(NOW + 5000)).toBe(1);
    expect(await store.read(id(4), NOW)).toBeUndefined();
    expect(await store.read(id(5), NOW)).toEqual(answer);
  });
});
