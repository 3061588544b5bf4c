import type { CustomerId } from '../../src/domains/customers/account.js';
import { MatchBankLine, UndoBankLine } from '../../src/domains/invoicing/bank/bank-line.decide.js';
import { knownLines } from '../../src/domains/invoicing/bank/bank-lines.queries.js';
import { readStatement } from '../../src/domains/invoicing/bank/statement.js';
import { type ImportPorts, importStatement } from '../../src/domains/invoicing/bank/statement-import.js';
import { PriceMeter } from '../../src/domains/invoicing/settings.decide.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { creditKey } from '../../src/domains/limits/credit.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { runOn } from '../verify/checks.js';

const [A, B]: CustomerId[] = [`cus_${'a'.repeat(24)}`, `cus_${'b'.repeat(24)}`];
const ledger = ledgerProjection(upcast);

let book: BilledBook;
beforeAll(async () => {
  book = await BilledBook.open();
  for (const customer of [A!, B!]) await book.account(customer);
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 1 }));
  for (const customer of [A!, B!]) await book.use(customer, 'tokens', '100');
  book.now = Date.parse('2026-12-01T02:00:00Z');
  // One after the other, so that the numbers are known.
  for (const customer of [A!, A!, B!, B!]) await book.pass([customer]);
});
afterAll(() => book?.close());

const ports = (change: Partial<ImportPorts> = {}): ImportPorts => ({
  ...{ pool: book.pool, store: book.store, clock: book.clock, prefixOf: async () => 'INV' },
  ...{ execute: (command) => book.execute(command), ...change },
});

function take(lines: readonly string[], change: Partial<ImportPorts> = {}) {
  const statement = readStatement(new TextEncoder().encode(['date,amount,text', ...lines].join('\n')), {
    ...{ tenant: TENANT, account: 'X', currency: 'USD', decimal: 'point', dates: 'YYYY-MM-DD', skip: 0 },
    columns: { date: 'date', amount: 'amount', text: ['text'] },
  });
  return importStatement(ports(change), TENANT, statement);
}
const words = (results: Awaited<ReturnType<typeof take>>) =>
  results.map((one) => ('how' in one ? `${one.result} ${one.how} ${one.over}` : one.result));

/** What both owe, once the books and the holds agree with the log. */
async function owed(): Promise<bigint[]> {
  await book.project();
  await book.runToEnd(ledger);
  const { holds, ledger: posted } = await runOn(book.databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
  expect([holds!.differences, posted!.differences]).toEqual([[], []]);
  const keys = [A!, B!].map((customer) => creditKey(TENANT, customer));
  const { rows } = await book.pool.query(
    'select coalesce(h.held, 0)::text as held from unnest($1::text[]) with ordinality as k (key, n) left join hold_totals h using (key) order by n',
    [keys],
  );
  return rows.map(({ held }) => BigInt(held));
}

const FILE = [
  '2026-12-02,0.40,INV-000001',
  '2026-12-02,0.40,INV-000001',
  '2026-12-03,1.30,inv 2 thanks',
  '2026-12-03,1.00,INV-000001 INV-000002',
  '2026-12-03,1.00,coffee',
  '2026-12-03,1.00,INV-000009',
  'never,1.00,INV-000001',
];

it('an import that is cut off between two lines is finished by the same file', async () => {
  let left = 1;
  const execute: ImportPorts['execute'] = async (command) => {
    if (left-- === 0) throw new Error('killed');
    return book.execute(command);
  };
  await expect(take(FILE, { execute })).rejects.toThrow('killed');
  const [one, other] = await Promise.all([take(FILE), take(FILE)]);
  const matched = [one, other].flat().filter(({ result }) => result === 'matched');
  expect(matched.length).toBeGreaterThan(0);
  expect(await owed()).toEqual([200_000n, -300_000n]);
  expect(words(await take(FILE))).toEqual([...Array(6).fill('duplicate'), 'rejected']);
  expect(await owed()).toEqual([200_000n, -300_000n]);
});

it('each line says what became of it', async () => {
  const results = await take([
    '2026-12-04,0.20,INV-000001',
    '2026-12-04,0.05,INV-000001',
    '2026-12-05,-1.30,return of INV-000002',
    '2026-12-05,-0.40,return of INV-000001',
    '2026-12-05,-7.00,return of INV-000001',
  ]);
  expect(words(results)).toEqual(['matched exact 0', 'matched over 5', 'matched', 'ambiguous', 'unmatched']);
  expect(results[4]).toMatchObject({ reason: 'bank_line_unmatched' });
  expect(await owed()).toEqual([-50_000n, 1_000_000n]);
});

it('what was undone can be matched by one of two, and an import leaves it alone', async () => {
  const [first] = await take(['2026-12-04,0.20,INV-000001']);
  if (!first || !('id' in first)) throw new Error('no line');
  await book.execute(new UndoBankLine(TENANT, A!, 1, first.id, 1, first.id));
  expect(await take(['2026-12-04,0.20,INV-000001'])).toMatchObject([{ result: 'duplicate', state: 'unmatched' }]);
  expect(await owed()).toEqual([150_000n, 1_000_000n]);
  const { line } = (await knownLines(book.pool, [first.id])).get(first.id)!;
  const toA = new MatchBankLine(TENANT, A!, 1, 'inv_a', line, 2);
  const toB = new MatchBankLine(TENANT, B!, 1, 'inv_b', line, 2);
  const outcomes = await Promise.allSettled([book.execute(toA), book.execute(toB)]);
  expect(outcomes.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code)).sort()).toEqual([
    ...['bank_line_taken', 'done'],
  ]);
  expect((await owed()).reduce((sum, one) => sum + one)).toBe(950_000n);
});
