import type { PoolClient } from 'pg';
import type { SealDifference } from '../../src/base/event-store/seals/differences.js';
import { type SealReport, verifySealsIn } from '../../src/base/event-store/seals/verify-seals.js';
import { scale, seed } from '../support/long.js';
import { type Expected, edits, type Log, openEdits } from './edits.js';
import { Dice, openLog, type SealedLog, signer } from './support.js';

/** Of each kind; all kinds together are about a thousand, and ten times that in the long form. */
const ROUNDS = scale(31, 310);
const PAYMENTS = 40;
const PAYMENTS_A_SEAL = 5;

let log: SealedLog;
let client: PoolClient;
let witnessSize: number;
let known: Log;
const dice = new Dice(seed);

beforeAll(async () => {
  log = await openLog();
  for (let n = 0; n < PAYMENTS; n += PAYMENTS_A_SEAL) {
    await log.pay(n, n + PAYMENTS_A_SEAL);
    await log.seal();
  }
  await log.pay(PAYMENTS, PAYMENTS + 2);
  witnessSize = await log.witness.size();
  client = await log.pool.connect();
  known = await openEdits(client, dice, signer);
});

afterAll(async () => {
  client?.release();
  await log?.close();
});

function verify(): Promise<SealReport> {
  return verifySealsIn(client, signer.jwks(), { witness: log.witness, witnessSize }, () => undefined);
}

/** As a superuser does it who has switched the triggers off. */
async function tampered(edit: (log: Log) => Promise<Expected>) {
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
  try {
    const expected = await edit(known);
    return { expected, report: await verify() };
  } finally {
    await client.query('rollback');
  }
}

function covers({ from, to }: SealDifference, position: number): boolean {
  return from <= BigInt(position) && BigInt(position) <= to;
}

function isNamed(position: number, differences: readonly SealDifference[]): boolean {
  const runs = ['event-removed', 'log-cut-off', 'events-lost'];
  return differences.some((one) => covers(one, position) && (one.from === one.to || runs.includes(one.kind)));
}

describe('the untouched log', () => {
  it('has no differences, and every event is read', async () => {
    expect(await verify()).toEqual({
      events: known.head,
      unsealed: known.head - known.sealed,
      seals: PAYMENTS / PAYMENTS_A_SEAL,
      witnessed: PAYMENTS / PAYMENTS_A_SEAL,
      restorations: [],
      differences: [],
      differenceCount: 0,
    });
  });
});

describe('an edit is found where it was made', () => {
  it.each(Object.entries(edits))('%s', async (_name, edit) => {
    for (let round = 0; round < ROUNDS; round++) {
      const { expected, report } = await tampered(edit);
      const { differences } = report;
      const told = JSON.stringify({ expected, differences }, (_key, value) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
      const [from, to] = expected.within;
      const isElsewhere = (one: SealDifference) => one.from < BigInt(from) || one.to > BigInt(to);
      if (differences.length === 0 || differences.some(isElsewhere)) throw new Error(`found elsewhere: ${told}`);
      if (expected.rows?.some((row) => !isNamed(row, differences))) throw new Error(`not named: ${told}`);
    }
  });
});
