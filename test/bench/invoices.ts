/**
 * Closing the month of 1,000 accounts against one SQL aggregate over the same usage events, in one process:
 * `invoices.ts <database url> <usage events>`.
 */
import type { CustomerId } from '../../src/domains/customers/account.js';
import { PriceMeter } from '../../src/domains/invoicing/settings.decide.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { median } from './statistics.js';

/** Seconds. */
export interface InvoiceTimes {
  readonly events: number;
  readonly invoices: number;
  /** The aggregate, the median of some rounds. */
  readonly bare: number;
  readonly drafted: number;
  readonly closed: number;
}

const ACCOUNTS = 1_000;
/** Accounts that a worker reckons together. */
const CHUNK = 250;
const BATCH = 1_000;
const ROUNDS = 3;

const [url, events] = [process.argv[2]!, Number(process.argv[3])];
const book = BilledBook.at(url);
const customers = Array.from({ length: ACCOUNTS }, (_, n): CustomerId => `cus_${String(n).padStart(24, '0')}`);

async function fill(): Promise<void> {
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '30000', per: 1, prorated: true }));
  await Promise.all(customers.map((customer) => book.account(customer)));
  const batches = Array.from({ length: events / BATCH }, (_, n) => n);
  await Promise.all(batches.map(ingested));
  await book.pool.query(
    `insert into usage_events (tenant, source, id, batch, line, customer, occurred_at, received_at, metered, event, leaf)
     select $1, '/gateway/eu-1', 'bench-' || n, ('00000000-0000-7000-8000-' || lpad((n / $2)::text, 12, '0'))::uuid, n % $2 + 1,
       'cus_' || lpad((n % $3)::text, 24, '0'), '2026-11-10T12:00:00Z'::timestamptz + make_interval(secs => n % 1000000),
       '2026-11-10T12:00:00Z', jsonb_build_object('tokens', (1 + n % 997)::text), repeat('x', 200), sha256(n::text::bytea)
     from generate_series(0, $4::int - 1) as n`,
    [TENANT, BATCH, ACCOUNTS, events],
  );
  await book.project();
  await book.pool.query('vacuum analyze');
}

/** What the log says of a batch whose rows are inserted in one statement with all others. */
async function ingested(n: number): Promise<void> {
  const batch = `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
  const [from, to] = ['2026-11-10T12:00:00.000000Z', '2026-11-22T12:00:00.000000Z'];
  const data = { batch, events: BATCH, root: 'r'.repeat(43), from, to, receivedAt: '2026-11-10T12:00:00.000Z' };
  const place = { stream: `usage/${TENANT}/${batch}`, tenant: TENANT, expectedVersion: 0 };
  await book.store.append({ ...place, decide: () => ({ events: [{ type: 'UsageIngested', schema: 1, data }] }) });
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function aggregate() {
  return book.pool.query(
    `select customer, m.key, sum(m.value::numeric) from usage_events cross join lateral jsonb_each_text(metered) m
     where tenant = $1 and occurred_at >= '2026-11-01T00:00:00Z' and occurred_at < '2026-12-01T00:00:00Z' group by 1, 2`,
    [TENANT],
  );
}

/** As a worker does it: chunk by chunk, two at a time. */
async function close(): Promise<void> {
  const chunks: CustomerId[][] = [];
  for (let at = 0; at < ACCOUNTS; at += CHUNK) chunks.push(customers.slice(at, at + CHUNK));
  const lane = async () => {
    for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) await book.closer.close(TENANT, chunk);
  };
  await Promise.all([lane(), lane()]);
}

await fill();
const bare: number[] = [];
for (let round = 0; round < ROUNDS; round++) bare.push(await seconds(aggregate));
book.now = Date.parse('2026-12-01T02:00:00Z');
const drafted = await seconds(close);
await book.project();
const closed = await seconds(close);
await book.project();
const invoices = (await book.invoices()).filter(({ state }) => state === 'open').length;
if (invoices !== ACCOUNTS) throw new Error(`${invoices} invoices of ${ACCOUNTS} accounts`);
await book.close();
process.send?.({ events, invoices, bare: median(bare), drafted, closed } satisfies InvoiceTimes, () => process.exit(0));
