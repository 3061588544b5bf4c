/**
 * Admissions against commits of one row, both at half the rate that such commits reach, alternating:
 * `admission.ts <database url> <database url> <rounds>`. An admission is all that a gateway writes before a request
 * runs: the claim of its authorization, what it takes of exposure, a quota and a spending limit, and its event.
 */
import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Address } from '../../src/base/shared/hex.js';
import { LimitBook } from '../../src/domains/limits/limit-book.js';
import { handlerFor, newPayment } from '../../src/domains/payments/handler-for.js';
import { AuthorizePayment, decideAuthorize } from '../../src/domains/payments/payment.decide.js';
import { type PaymentAuthorized, paymentIdOf } from '../../src/domains/payments/payment.js';
import { Pace } from './pace.js';
import { quantile } from './quantile.js';
import { sampleEvents } from './sample-events.js';

/** Milliseconds from when each was due, p99 of each round. */
export interface AdmissionTimes {
  /** Of both, a second. */
  readonly rate: number;
  readonly bare: readonly number[];
  readonly admitted: readonly number[];
}

/** Connections of the bare side, and of a gateway's store. */
const CONNECTIONS = 16;
/** Requests that a gateway may have under way. */
const CALLERS = 256;
const WARM_SECONDS = 2;
const SECONDS = 3;
const PAYERS = 8;

const [bareUrl, storeUrl, rounds] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
let number = 0;

const pool = new pg.Pool({ connectionString: bareUrl, max: CONNECTIONS });
await pool.query('create table bare (id bigint primary key, data jsonb not null)');

async function commitRow(): Promise<void> {
  const id = number++;
  const data = JSON.stringify(sampleEvents(id)[0].data);
  await pool.query({ name: 'bare', text: 'insert into bare values ($1, $2)', values: [id, data] });
}

const store = new EventStore(openPool(storeUrl, 'bench', CONNECTIONS, console), systemClock);
const payments = new (handlerFor(AuthorizePayment, decideAuthorize))(store);
const limits = new LimitBook([
  {
    tenant: 'demo',
    id: 'daily',
    rules: { measure: 'requests', quantity: '1000000000', per: 'payer', window: { kind: 'calendar', unit: 'day' } },
  },
  {
    tenant: 'demo',
    id: 'hourly',
    rules: { measure: 'amount', quantity: '1000000000000', per: 'payer', window: { kind: 'rolling', seconds: 3600 } },
  },
]);
const AFFORDABLE = 10n ** 15n;

async function admit(): Promise<void> {
  const { holds: _, mode: __, ...sample } = sampleEvents(number)[0].data as PaymentAuthorized['data'];
  const payer = `0x${(number % PAYERS).toString(16).padStart(40, '0')}` as Address;
  const terms = { ...sample, terms: { ...sample.terms, payer } };
  const { amount, asset, network, nonce } = terms.terms;
  const tenant = { id: terms.tenant, network, asset };
  const counted = { tenant, route: terms.route, payer, units: 1n, amount: BigInt(amount) };
  const exposure = limits.exposureOf(counted, AFFORDABLE);
  const quotas = limits.quotasOf(counted, Date.now());
  const id = paymentIdOf({ network, asset, payer, nonce });
  number++;
  await payments.execute(new AuthorizePayment(id, terms, exposure, [], newPayment, undefined, quotas));
}

/** As many as there can be, from as many callers as there are connections. Resolves to their number a second. */
async function fastest(work: () => Promise<void>, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const caller = async () => {
    for (; performance.now() < end; done++) await work();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  return done / seconds;
}

/** p99 in milliseconds. */
async function paced(work: () => Promise<void>, rate: number): Promise<number> {
  const pace = new Pace(rate, performance.now());
  const times: number[] = [];
  let left = rate * SECONDS;
  const caller = async () => {
    while (left-- > 0) {
      const due = await pace.next();
      await work();
      times.push(performance.now() - due);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return quantile(
    times.sort((a, b) => a - b),
    0.99,
  );
}

await fastest(commitRow, WARM_SECONDS);
await fastest(admit, WARM_SECONDS);
const rate = Math.floor((await fastest(commitRow, SECONDS)) / 2);
const times = { rate, bare: [] as number[], admitted: [] as number[] };
for (let round = 0; round <= rounds; round++) {
  const pair = [await paced(commitRow, rate), await paced(admit, rate)] as const;
  // Round 0 warms up both sides.
  if (round === 0) continue;
  times.bare.push(pair[0]);
  times.admitted.push(pair[1]);
}
process.send?.(times satisfies AdmissionTimes, () => process.exit(0));
