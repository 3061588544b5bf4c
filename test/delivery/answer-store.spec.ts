import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { storeAttachments } from '../../src/base/event-store/attachments.js';
import { epochSeconds } from '../../src/base/shared/clock.js';
import { AnswerStore, answerAttachment, type StoredAnswer } from '../../src/domains/payments/answers.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { purgeExpired } from '../../src/domains/payments/purge.js';
import { freshDatabase } from '../support/engines.js';

const NOW = Date.UTC(2026, 10, 1);
const DAY_MS = 86_400_000;
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
    await purgeExpired(pool, NOW + 4999);
    expect(await store.read(id(4), NOW)).toEqual(answer);
    expect(await purgeExpired(pool, NOW + 5000)).toBe(false);
    expect(await store.read(id(4), NOW)).toBeUndefined();
    expect(await store.read(id(5), NOW)).toEqual(answer);
  });
});

describe('the store of signatures', () => {
  let pool: pg.Pool;

  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase() });
  });
  afterAll(() => pool.end());

  async function keep(payment: PaymentId, state?: string): Promise<void> {
    await pool.query('insert into authorizations (payment_id, signature, valid_before) values ($1, $2, $3)', [
      payment,
      Buffer.alloc(65),
      epochSeconds(NOW),
    ]);
    if (state === undefined) return;
    await pool.query(
      `insert into payments (id, tenant, route, method, state, mode, payer, payee, network, asset, amount, valid_before, gateway,
         position, authorized_at, updated_at)
       values ($1, 'demo', 'weather', 'GET', $2, 'async', '', '', '', '', 1, 0, '', $3, now(), now())`,
      [payment, state, Number(payment.slice(-4))],
    );
  }
  const kept = async () =>
    (await pool.query<{ payment_id: string }>('select payment_id from authorizations order by 1')).rows.map(
      ({ payment_id }) => payment_id,
    );

  it('forgets one a day after its authorization lapsed, not before', async () => {
    await keep(id(1), 'settled');
    await purgeExpired(pool, NOW + DAY_MS);
    expect(await kept()).toEqual([id(1)]);
    await purgeExpired(pool, NOW + DAY_MS + 1000);
    expect(await kept()).toEqual([]);
  });

  it('keeps those of payments that are open, or that it does not know yet', async () => {
    await keep(id(2), 'delivered');
    await keep(id(3), 'submitted');
    await keep(id(4));
    await keep(id(5), 'settlement_failed');
    await purgeExpired(pool, NOW + 9 * DAY_MS);
    expect(await kept()).toEqual([id(2), id(3), id(4)]);
  });
});
