import pg from 'pg';
import { createTestClient, http } from 'viem';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, type Reply } from '../support/http.js';
import { DAY, HOUR, Limited, PRICE } from '../support/limited.js';
import { ask, type Payment, present, sign } from '../support/payment.js';

const CALLERS = 200;

let limited: Limited;
let app: App;
let other: App;

beforeAll(async () => {
  limited = await Limited.open(4);
  ({ app, other } = limited);
});
afterAll(() => limited?.stop());

interface Ticket {
  readonly call: Call;
  readonly payment: Payment;
}

/** Signed payments of some payers in turn, at both gateways. */
function ticketsOf(payers: number): Promise<readonly Ticket[]> {
  return Promise.all(
    Array.from({ length: CALLERS }, async (_, n) => {
      const call = limited.call(n % 2 === 0 ? app : other);
      return { call, payment: await sign(limited.buyers[n % payers]!, await ask(call)) };
    }),
  );
}

describe(`${CALLERS} callers at once at two gateways`, () => {
  const each = 12n;
  it.each<[string, string, object, bigint, string]>([
    [
      'requests of a tenant',
      'tenant',
      { measure: 'requests', per: 'tenant', quantity: '31', window: DAY },
      31n,
      'quota_exceeded',
    ],
    [
      'requests of a tenant, rolling',
      'rolled',
      { measure: 'requests', per: 'tenant', quantity: '23', window: HOUR },
      23n,
      'quota_exceeded',
    ],
    [
      'requests of a route',
      'route',
      { measure: 'requests', per: 'tenant', quantity: '17', routes: ['goes'], window: HOUR },
      17n,
      'quota_exceeded',
    ],
    [
      'requests of each payer',
      'each',
      { measure: 'requests', per: 'payer', quantity: `${each}`, window: DAY },
      4n * each,
      'quota_exceeded',
    ],
    [
      'units of each payer, rolling',
      'units',
      { measure: 'units', per: 'payer', quantity: `${each}`, window: HOUR },
      4n * each,
      'quota_exceeded',
    ],
    [
      'what a tenant takes',
      'taken',
      { measure: 'amount', per: 'tenant', quantity: `${29n * PRICE + 999n}`, window: HOUR },
      29n,
      'spending_limit_reached',
    ],
    [
      'what each payer spends',
      'spent',
      { measure: 'amount', per: 'payer', quantity: `${each * PRICE + 999n}`, window: DAY },
      4n * each,
      'spending_limit_reached',
    ],
  ])(
    '%s: exactly as many as allowed',
    async (_what, id, rules, allowed, code) => {
      await limited.put(id, rules);
      const taken = await limited.reachesBoth(id, limited.buyers[0]!);
      const before = limited.upstream.runs();
      const callers = await ticketsOf(limited.buyers.length);
      const replies = await Promise.all(callers.map(({ call, payment }) => present(call, payment)));

      const admitted = replies.filter(({ status }) => status === 200);
      expect(BigInt(admitted.length + taken)).toBe(allowed);
      expect(limited.upstream.runs() - before).toBe(admitted.length);
      const refused = replies.filter(({ status }) => status !== 200);
      expect(new Set(refused.map((reply) => `${reply.status} ${codeOf(reply)}`))).toEqual(new Set([`429 ${code}`]));
      for (const { body, headers } of refused) {
        expect(headers.ratelimit).toMatch(new RegExp(`^"${id}";r=\\d+;t=\\d+$`));
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(JSON.parse(body)).toMatchObject({ 'violated-policies': [id] });
      }
      const used = await limited.usage(id);
      const perRequest = code === 'spending_limit_reached' ? PRICE : 1n;
      expect(used.reduce((sum, one) => sum + BigInt(one.used), 0n)).toBe(allowed * perRequest);

      // The payment of a refused request is good as soon as there is room.
      expect((await limited.withdraw(id)).status).toBe(204);
      const index = replies.findIndex(({ status }) => status === 429);
      const { call, payment } = callers[index]!;
      await eventually(async () => (await present(call, payment)).status === 200);
    },
    120_000,
  );
});

describe(`the exposure of ${CALLERS} callers at once at two gateways`, () => {
  const allowed = 37;
  let pool: pg.Pool;

  beforeAll(() => {
    pool = new pg.Pool({ connectionString: app.engines.postgres, max: 1 });
  });
  afterAll(() => pool?.end());

  /** Unsettled value: of payers, and of the tenant. */
  async function exposure(of: 'payer' | 'tenant'): Promise<readonly bigint[]> {
    const { rows } = await pool.query<{ held: string }>(
      `select held::text from hold_totals where key like 'exposure/limited/%' and (key like '%/%/%/%/%') = $1 and held > 0`,
      [of === 'payer'],
    );
    return rows.map(({ held }) => BigInt(held));
  }
  const settled = () => eventually(async () => (await exposure('payer')).length === 0, 30_000);
  const isPending = ({ headers }: Reply) =>
    (JSON.parse(Buffer.from(String(headers['payment-response']), 'base64').toString()) as { transaction: string })
      .transaction === '';

  it.each([
    ['payer', 1],
    ['tenant', 4],
  ] as const)(
    'of a %s: exactly as many as allowed are answered before they are settled, and the others once they are',
    async (per, payers) => {
      const id = `owed-by-${per}`;
      const some = limited.buyers.slice(0, payers);
      await limited.put(id, { measure: 'exposure', per, quantity: `${BigInt(allowed) * PRICE + 999n}` });
      // Published later, and shown: whoever shows it has read the other one, too.
      await limited.put('later', { measure: 'requests', per: 'payer', quantity: '1000', window: HOUR });
      await limited.reachesBoth('later', some[0]!);
      const tickets = await ticketsOf(payers);
      // Whoever has not been seen for a moment is served once its money has moved.
      for (const buyer of some) for (const one of [app, other]) await limited.buys(buyer, one);
      await settled();
      const before = limited.upstream.runs();
      const chain = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) });
      await chain.setAutomine(false);
      const replies = tickets.map(({ call, payment }) => present(call, payment));
      try {
        await eventually(() => limited.upstream.runs() - before === CALLERS, 30_000);
        expect(await exposure(per)).toEqual([BigInt(allowed) * PRICE]);
      } finally {
        await chain.setAutomine(true);
        await chain.mine({ blocks: 1 });
      }
      const answers = await Promise.all(replies);
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(answers.filter(isPending)).toHaveLength(allowed);
      for (const one of [id, 'later']) expect((await limited.withdraw(one)).status).toBe(204);
      await settled();
    },
    120_000,
  );
});
