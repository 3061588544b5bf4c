import fc from 'fast-check';
import type { Pool } from 'pg';
import { type AccountRow, listAccounts } from '../../src/domains/ledger/accounts.queries.js';
import type { AsOf } from '../../src/domains/ledger/as-of.queries.js';
import type { Sums } from '../../src/domains/ledger/balance.js';
import { listTransfers, type TransferRow } from '../../src/domains/ledger/transfers.queries.js';
import { bookTotals, listTrialBalances } from '../../src/domains/ledger/trial-balance.queries.js';
import { runs } from '../support/long.js';
import { happen, type ModelPayment } from './model.js';
import { apply, type Fact, NETWORK, newRun, openBook, placed, SETTLER, writeLog } from './support.js';

const PAYMENTS = 60;
const LIMIT = 10_000;
/** Just before the end of a block of positions, so that the log lies in two. */
const FIRST = 2n ** 16n - 100n;
const HOUR = 3_600_000;
const FIRST_DAY = Date.UTC(2026, 10, 20);

let pool: Pool;
let last: bigint;
/** Oldest first. */
let transfers: readonly TransferRow[];

beforeAll(async () => {
  pool = await openBook();
  const events = placed(lives(), FIRST);
  last = events.at(-1)!.position;
  await writeLog(pool, events);
  const run = newRun(1000);
  for (let from = 0; from < events.length; from += 7) await apply(pool, run, events.slice(from, from + 7));
  transfers = (await listTransfers(pool, {}, undefined, undefined, LIMIT)).rows.toReversed();
});
afterAll(() => pool?.end());

/** Payments of two tenants and a few payers, whose events mix, over three days, with clocks that are not quite in step. */
function lives(): Fact[] {
  const facts: Fact[] = [];
  const payments = Array.from({ length: PAYMENTS }, (_, n): ModelPayment => {
    const payer = `0x${String(n % 4).repeat(40)}`;
    return {
      payer,
      amount: BigInt(100 + n),
      hold: n % 3 !== 0,
      state: 'new',
      returned: false,
      refunded: 0n,
      version: 0,
    };
  });
  for (let round = 0; round < 7; round++) {
    for (const [n, payment] of payments.entries()) {
      const fact = happen(payment, `payment/pay_${n}`, n * 7 + round * 3);
      const at = (facts.length * 60 * HOUR) / (PAYMENTS * 5) + (n % 2) * 1000;
      if (fact) facts.push({ ...fact, tenant: n % 5 === 0 ? 'other' : 'demo', at: Math.floor(at) });
    }
  }
  const fee = { network: NETWORK, settler: SETTLER, share: '21000' };
  return [...facts, { stream: 'network-fee/demo/0x1', version: 1, type: 'NetworkFeePaid', data: fee, at: 59 * HOUR }];
}

/** Transfers of an account up to a point, one by one. */
function naiveSums(account: number, upTo: (transfer: TransferRow) => boolean): Sums {
  const sums = { debitsPosted: 0n, creditsPosted: 0n, debitsPending: 0n, creditsPending: 0n };
  for (const transfer of transfers.filter(upTo)) {
    const amount = BigInt(transfer.amount);
    const side = { [transfer.debit]: 'debits', [transfer.credit]: 'credits' }[account] as
      | 'debits'
      | 'credits'
      | undefined;
    if (!side) continue;
    if (transfer.phase === 'posted' || transfer.phase === 'post') sums[`${side}Posted`] += amount;
    if (transfer.phase === 'pending') sums[`${side}Pending`] += amount;
    if (transfer.phase === 'post' || transfer.phase === 'void') sums[`${side}Pending`] -= amount;
  }
  return sums;
}

async function expectSums(asOf: AsOf, upTo: (transfer: TransferRow) => boolean): Promise<void> {
  const { rows } = await listAccounts(pool, {}, asOf, 0, LIMIT);
  expect(rows.map(({ id, sums }) => ({ id, ...sums }))).toEqual(rows.map(({ id }) => ({ id, ...naiveSums(id, upTo) })));
  await expectTrialBalance(asOf, rows);
  const listed = await listTransfers(pool, {}, asOf, undefined, LIMIT);
  expect(listed.rows.map(({ id }) => id).toReversed()).toEqual(transfers.filter(upTo).map(({ id }) => id));
}

async function expectTrialBalance(asOf: AsOf, accounts: readonly AccountRow[]): Promise<void> {
  const { rows } = await listTrialBalances(pool, {}, asOf, 0, LIMIT);
  expect(rows).toHaveLength(3);
  for (const { asset, kinds, tenant } of rows) {
    const ofBook = accounts.filter((account) => account.tenant === tenant && account.asset === asset);
    for (const { kind, sums } of kinds) {
      const ofKind = ofBook.filter((account) => account.kind === kind);
      expect(sums.debitsPosted).toBe(ofKind.reduce((sum, account) => sum + account.sums.debitsPosted, 0n));
      expect(sums.creditsPending).toBe(ofKind.reduce((sum, account) => sum + account.sums.creditsPending, 0n));
    }
    const totals = bookTotals(kinds);
    expect(totals.debitsPosted).toBe(totals.creditsPosted);
    expect(totals.debitsPending).toBe(totals.creditsPending);
  }
}

const positionOf = ({ id }: TransferRow) => BigInt(id) / 16n;

describe('sums', () => {
  it('of now are those of all transfers', () => expectSums(undefined, () => true));

  it('as of a position are those of the transfers up to it', async () => {
    const positions = fc.bigInt(FIRST - 1n, last);
    await fc.assert(
      fc.asyncProperty(positions, (position) =>
        expectSums({ position }, (transfer) => positionOf(transfer) <= position),
      ),
      { ...runs(25, 1000), examples: [[0n], [2n ** 16n - 1n], [2n ** 16n], [2n ** 16n + 1n], [last]] },
    );
  });

  it('as of an instant are those of the transfers until then', async () => {
    const instants = fc.integer({ min: -HOUR, max: 59 * HOUR }).map((at) => new Date(FIRST_DAY + at));
    const midnight = FIRST_DAY + 24 * HOUR;
    await fc.assert(
      fc.asyncProperty(instants, (instant) =>
        expectSums({ instant }, (transfer) => transfer.occurred_at.getTime() <= instant.getTime()),
      ),
      { ...runs(25, 1000), examples: [[new Date(midnight - 1)], [new Date(midnight)], [new Date(midnight + 1)]] },
    );
  });
});

describe('a point that the ledger has not come to', () => {
  const refusal = { code: 'as_of_not_reached', status: 409 };

  it('is refused, and the refusal says how far it is', async () => {
    await expect(listAccounts(pool, {}, { position: last + 1n }, 0, 1)).rejects.toMatchObject({
      ...refusal,
      detail: `the ledger has come to position ${last}`,
    });
    const instant = new Date(Date.now() + HOUR);
    await expect(listTrialBalances(pool, {}, { instant }, 0, 1)).rejects.toMatchObject(refusal);
  });

  it('is any instant at which something happened that is not posted yet', async () => {
    const [next] = placed([{ stream: 'x', version: 1, type: 'Other', data: {}, at: 61 * HOUR }], last + 1n);
    await writeLog(pool, [next!]);
    const asked = (instant: number) => listTransfers(pool, {}, { instant: new Date(instant) }, undefined, 1);
    await expect(asked(FIRST_DAY + 61 * HOUR)).rejects.toMatchObject(refusal);
    await expect(asked(FIRST_DAY + 61 * HOUR - 1)).resolves.toMatchObject({ position: last });
  });
});

describe('transfers', () => {
  it('of an account are found through its blocks, page by page, newest first', async () => {
    const { rows: accounts } = await listAccounts(pool, {}, undefined, 0, LIMIT);
    for (const { id } of accounts) {
      const expected = transfers.filter(({ credit, debit }) => [credit, debit].includes(id)).map((one) => one.id);
      const found: string[] = [];
      for (let before: bigint | undefined; ; before = BigInt(found.at(-1)!)) {
        const { rows } = await listTransfers(pool, { account: id }, undefined, before, 20);
        found.push(...rows.slice(0, 20).map((one) => one.id));
        if (rows.length <= 20) break;
      }
      expect(found).toEqual(expected.toReversed());
    }
  });

  it.each([
    ['tenant', { tenant: 'other' }, (one: TransferRow) => one.tenant === 'other'],
    ['asset', { asset: `${NETWORK}/slip44:60` }, (one: TransferRow) => one.code === 'network_fee'],
    ['kind', { kind: 'refunds' }, (one: TransferRow) => one.debit_kind === 'refunds'],
    [
      'tenant and kind',
      { tenant: 'other', kind: 'wallet' },
      (one: TransferRow) => one.tenant === 'other' && [one.debit_kind, one.credit_kind].includes('wallet'),
    ],
    ['code and phase', { code: 'charge', phase: 'void' }, (one: TransferRow) => one.code + one.phase === 'chargevoid'],
    [
      'time',
      { from: new Date(FIRST_DAY + HOUR), to: new Date(FIRST_DAY + 2 * HOUR) },
      ({ occurred_at: at }: TransferRow) => Math.floor((at.getTime() - FIRST_DAY - 1) / HOUR) === 1,
    ],
    ['payment', { payment: 'pay_7' }, (one: TransferRow) => one.stream === 'payment/pay_7'],
    [
      'payment and kind',
      { payment: 'pay_7', kind: 'revenue' },
      (one: TransferRow) => one.stream === 'payment/pay_7' && [one.debit_kind, one.credit_kind].includes('revenue'),
    ],
  ] as const)('are filtered by %s', async (_what, filter, matches) => {
    const { rows } = await listTransfers(pool, filter, undefined, undefined, LIMIT);
    const expected = transfers.filter(matches);
    expect(expected.length).toBeGreaterThan(0);
    expect(rows.toReversed()).toEqual(expected);
  });
});
