import type { Pool } from 'pg';
import { NEW_STREAM } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { EVERYBODY, PayerDenied, type Standing } from '../../src/base/event-store/standings.js';
import type { Decision } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import { freshDatabase } from '../support/engines.js';

const LANES = 8;
const ENOUGH = 40;

let databaseUrl: string;
const pools: Pool[] = [];
let streams = 0;

function storeOfAProcess(): EventStore {
  const pool = openPool(databaseUrl, 'test', 4, { warn: () => undefined });
  pools.push(pool);
  return new EventStore(pool, () => 1_800_000_000_000);
}

const happened = (type: string): Decision => ({ events: [{ type, schema: 1, data: {} }] });

function admit(store: EventStore, tenant: string, payer: string) {
  const admits = { tenant, payer };
  return store.append({
    stream: `admitted/${streams++}`,
    tenant,
    expectedVersion: NEW_STREAM,
    admits,
    decide: () => happened('Admitted'),
  });
}

function setStanding(store: EventStore, tenant: string, payer: string, standing: Standing) {
  const row = { tenant, payer, standing, reason: 'other', revision: 1, since: new Date(0) };
  return store.append({
    stream: `standing/${streams++}`,
    tenant,
    expectedVersion: NEW_STREAM,
    changesStandings: true,
    decide: () => ({ ...happened('StandingChanged'), attachments: [{ table: 'payer_standings', row }] }),
  });
}

beforeAll(async () => {
  databaseUrl = await freshDatabase();
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
});

describe('a write that admits a payer', () => {
  it('is refused alone, by the row of the payer, or by the one for everybody if it has none', async () => {
    const store = storeOfAProcess();
    await setStanding(store, 'shop', '0xbad', 'denied');
    await setStanding(store, 'club', EVERYBODY, 'denied');
    await setStanding(store, 'club', '0xmember', 'allowed');
    const asked: [string, string][] = [
      ['shop', '0xbad'],
      ['shop', '0xgood'],
      ['club', '0xgood'],
      ['club', '0xmember'],
      ['else', '0xbad'],
    ];
    const outcomes = await Promise.allSettled(asked.map(([tenant, payer]) => admit(store, tenant, payer)));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(PayerDenied);
    }
  });

  it('is before a denial or refused by it, whatever is under way in other processes', async () => {
    const gateways = [storeOfAProcess(), storeOfAProcess()];
    const control = storeOfAProcess();
    const admitted: bigint[] = [];
    const refusals: unknown[] = [];
    const lane = async (store: EventStore): Promise<void> => {
      for (let refused = 0; refused < 3; ) {
        try {
          admitted.push((await admit(store, 'busy', '0xp')).position);
        } catch (error) {
          refusals.push(error);
          refused++;
        }
      }
    };
    const lanes = gateways.flatMap((store) => Array.from({ length: LANES }, () => lane(store)));
    while (admitted.length < ENOUGH) await new Promise((resolve) => setImmediate(resolve));
    const { position } = await setStanding(control, 'busy', '0xp', 'denied');
    await Promise.all(lanes);
    expect(admitted.filter((at) => at > position)).toEqual([]);
    expect(refusals.every((error) => error instanceof PayerDenied)).toBe(true);
    expect(refusals).toHaveLength(gateways.length * LANES * 3);
  });
});
