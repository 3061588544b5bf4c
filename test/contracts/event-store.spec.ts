import { jest } from '@jest/globals';
import type { Pool } from 'pg';
import { NEW_STREAM, VersionConflict } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { HoldsRefused, type Write } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import { freshDatabase } from '../support/engines.js';
import { scale } from '../support/long.js';

const WRITERS = 16;
const WRITES_EACH = scale(100, 600);

jest.setTimeout(scale(60_000, 600_000));

let databaseUrl: string;
const pools: Pool[] = [];

function storeWithOwnPool(): { store: EventStore; pool: Pool } {
  const pool = openPool(databaseUrl, 'test', 4, { warn: () => undefined });
  pools.push(pool);
  return { pool, store: new EventStore(pool, () => 1_800_000_000_000) };
}

function write(stream: string, expectedVersion: number, over: Partial<Write> = {}): Write {
  const decide = () => ({ events: [{ type: 'Tested', schema: 1, data: { stream, n: expectedVersion } }] });
  return { stream, tenant: 'test', expectedVersion, decide, ...over };
}

/** What a restore leaves of a log. */
async function cutLog(pool: Pool, after: bigint): Promise<void> {
  await pool.query('alter table events disable trigger events_only_grow');
  await pool.query('delete from events where position > $1', [after.toString()]);
  await pool.query('alter table events enable trigger events_only_grow');
}

beforeAll(async () => {
  databaseUrl = await freshDatabase();
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
});

describe('event store', () => {
  it('gives a reader every event exactly once, in order, while 16 writers append', async () => {
    const reader = storeWithOwnPool().store;
    const start = (await reader.readAfter(0n, 1_000_000)).at(-1)?.position ?? 0n;
    const seen: bigint[] = [];
    const streams: string[] = [];
    let writing = true;
    const reading = (async () => {
      let after = start;
      for (;;) {
        const last = !writing;
        const events = await reader.readAfter(after, 100);
        for (const event of events) {
          seen.push(event.position);
          streams.push(event.stream);
        }
        after = events.at(-1)?.position ?? after;
        if (last && events.length === 0) return;
      }
    })();
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const { store } = storeWithOwnPool();
      for (let n = 0; n < WRITES_EACH; n++) await store.append(write(`seq/${writer}/${n}`, NEW_STREAM));
    });
    await Promise.all(writers);
    writing = false;
    await reading;
    expect(seen).toEqual(Array.from({ length: WRITERS * WRITES_EACH }, (_, n) => start + BigInt(n + 1)));
    expect(new Set(streams).size).toBe(WRITERS * WRITES_EACH);
  });

  it('lets exactly one of many writers in four processes claim a stream', async () => {
    const stores = Array.from({ length: 4 }, () => storeWithOwnPool().store);
    for (let round = 0; round < scale(10, 100); round++) {
      const attempts = stores.flatMap((store) =>
        Array.from({ length: 16 }, () => store.append(write(`claim/${round}`, NEW_STREAM))),
      );
      const outcomes = await Promise.allSettled(attempts);
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(outcomes.length - refused.length).toBe(1);
      expect(refused.every((outcome) => outcome.reason instanceof VersionConflict)).toBe(true);
    }
  });

  it('refuses only the write that conflicts, not the others of its batch', async () => {
    const { store } = storeWithOwnPool();
    await store.append(write('batch/taken', NEW_STREAM));
    const outcomes = await Promise.allSettled([
      store.append(write('batch/a', NEW_STREAM)),
      store.append(write('batch/taken', NEW_STREAM)),
      store.append(write('batch/b', NEW_STREAM)),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('keeps the order of two writes to one stream that arrive together', async () => {
    const { store } = storeWithOwnPool();
    await Promise.all([store.append(write('pair', 0)), store.append(write('pair', 1)), store.append(write('pair', 2))]);
    const events = await store.readStream('pair');
    expect(events.map((event) => [event.version, event.data.n])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
  });

  it('notices a conflict at a known version that another process wrote', async () => {
    const [one, other] = [storeWithOwnPool().store, storeWithOwnPool().store];
    await one.append(write('moved', NEW_STREAM));
    await other.append(write('moved', 1));
    await expect(one.append(write('moved', 1))).rejects.toBeInstanceOf(VersionConflict);
  });

  it('believes no version that it knows from a log which was replaced by an older copy', async () => {
    const [one, other] = [storeWithOwnPool(), storeWithOwnPool()];
    const { position } = await one.store.append(write('replaced/kept', NEW_STREAM));
    await one.store.append(write('replaced/lost', NEW_STREAM));
    await one.store.append(write('replaced/read', NEW_STREAM));
    await other.store.readStream('replaced/read');
    await cutLog(one.pool, position);
    // Positions are used again, by other events.
    await storeWithOwnPool().store.append(write('replaced/other', NEW_STREAM));
    await storeWithOwnPool().store.append(write('replaced/another', NEW_STREAM));
    for (const { store } of [one, other]) {
      for (const stream of ['replaced/lost', 'replaced/read']) {
        await expect(store.append(write(stream, 1))).rejects.toBeInstanceOf(VersionConflict);
        expect(await store.readStream(stream)).toEqual([]);
      }
    }
    await expect(one.store.append(write('replaced/kept', 1))).resolves.toMatchObject({ version: 2 });
  });

  it('stores a claim on a second stream together with the events, or neither', async () => {
    const { store } = storeWithOwnPool();
    const claim = (stream: string) => ({
      stream,
      expectedVersion: NEW_STREAM,
      event: { type: 'Claimed', schema: 1, data: {} },
    });
    const outcomes = await Promise.allSettled([
      store.append(write('with-claim/1', NEW_STREAM, { claim: claim('name/x') })),
      store.append(write('with-claim/2', NEW_STREAM, { claim: claim('name/x') })),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected']);
    expect(await store.readStream('with-claim/2')).toEqual([]);
    expect(await store.readStream('name/x')).toHaveLength(1);
  });

  it('never grants more than the limit to concurrent holds over several processes', async () => {
    const stores = Array.from({ length: 4 }, () => storeWithOwnPool());
    let granted = 0;
    const asks = stores.flatMap(({ store }, process) =>
      Array.from({ length: 50 }, (_, n) => {
        const decide = (held: boolean) => {
          if (held) granted++;
          return { events: [{ type: 'Asked', schema: 1, data: { held } }] };
        };
        const holds = [{ key: 'limit/one', delta: 3n, limit: 30n }];
        return store.append({
          stream: `hold/${process}/${n}`,
          tenant: 't',
          expectedVersion: NEW_STREAM,
          holds,
          decide,
        });
      }),
    );
    await Promise.all(asks);
    expect(granted).toBe(10);
    const { rows } = await stores[0]!.pool.query("select held::text from hold_totals where key = 'limit/one'");
    expect(rows).toEqual([{ held: '30' }]);
  });

  it('refuses only the writes that pass a hard limit, over several processes, and stores nothing of them', async () => {
    const stores = Array.from({ length: 4 }, () => storeWithOwnPool());
    const asks = stores.flatMap(({ store }, process) =>
      Array.from({ length: 50 }, (_, n) =>
        store.append({
          stream: `hard/${process}/${n}`,
          tenant: 't',
          expectedVersion: NEW_STREAM,
          // Every second one asks for nothing, and shares its transaction with those that are refused.
          holds: n % 2 === 0 ? [{ key: 'limit/hard', delta: 1n, limit: 7n, hard: true }] : [],
          decide: () => ({ events: [{ type: 'Asked', schema: 1, data: {} }] }),
        }),
      ),
    );
    const refused = (await Promise.allSettled(asks)).filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(100 - 7);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(HoldsRefused);
    const { rows } = await stores[0]!.pool.query("select count(*)::int as n from events where stream like 'hard/%'");
    expect(rows).toEqual([{ n: 100 + 7 }]);
    const totals = await stores[0]!.pool.query("select held::text from hold_totals where key = 'limit/hard'");
    expect(totals.rows).toEqual([{ held: '7' }]);
  });

  it('takes back everything of a write whose attachment the database refuses', async () => {
    const { pool, store } = storeWithOwnPool();
    const row = { payment_id: 'pay_x', signature: Buffer.from('aa', 'hex'), valid_before: '1' };
    const attachment = { table: 'authorizations', row } as const;
    const decide = () => ({ events: [{ type: 'T', schema: 1, data: {} }], attachments: [attachment] });
    const holds = [{ key: 'limit/attached', delta: 1n }];
    await store.append({ stream: 'attached/1', tenant: 't', expectedVersion: NEW_STREAM, holds, decide });
    await expect(
      store.append({ stream: 'attached/2', tenant: 't', expectedVersion: NEW_STREAM, holds, decide }),
    ).rejects.toThrow(/duplicate key/);
    expect(await store.readStream('attached/2')).toEqual([]);
    const { rows } = await pool.query("select held::text from hold_totals where key = 'limit/attached'");
    expect(rows).toEqual([{ held: '1' }]);
  });

  it('stores the others of a batch if one of them cannot be stored', async () => {
    const { store } = storeWithOwnPool();
    const noted = (note: string) => ({ decide: () => ({ events: [{ type: 'T', schema: 1, data: { note } }] }) });
    const row = { payment_id: 'pay_far', signature: Buffer.from('aa', 'hex'), valid_before: String(2n ** 64n) };
    const far = { decide: () => ({ events: [], attachments: [{ table: 'authorizations', row } as const] }) };
    const outcomes = await Promise.allSettled([
      store.append(write('batch/first', NEW_STREAM)),
      store.append(write('batch/zero', NEW_STREAM, noted('a zero byte: \0'))),
      store.append(write('batch/half', NEW_STREAM, noted('half a character: \ud83d'))),
      store.append(write('batch/far', NEW_STREAM, far)),
      store.append(write('batch/line\nbreak', NEW_STREAM)),
      store.append(write('batch/last', NEW_STREAM)),
    ]);
    const [good, bad] = ['fulfilled', 'rejected'];
    expect(outcomes.map(({ status }) => status)).toEqual([good, bad, bad, bad, bad, good]);
  });

  it('removes rows beside the log with the events, or not at all', async () => {
    const { pool, store } = storeWithOwnPool();
    const row = (id: string) => ({ payment_id: id, signature: Buffer.from('aa', 'hex'), valid_before: '1' });
    const attachments = ['pay_c', 'pay_b', 'pay_a'].map((id) => ({ table: 'authorizations', row: row(id) }) as const);
    const events = [{ type: 'T', schema: 1, data: {} }];
    await store.append(write('removed', NEW_STREAM, { decide: () => ({ events, attachments }) }));
    const removals = ['pay_c', 'pay_a', 'pay_none'].map((id) => {
      return { table: 'authorizations', key: { payment_id: id } } as const;
    });
    const remove = { decide: () => ({ events, removals }) };
    await expect(store.append(write('removed', NEW_STREAM, remove))).rejects.toBeInstanceOf(VersionConflict);
    const kept = async () =>
      (await pool.query("select payment_id from authorizations where payment_id ~ '^pay_[abc]$' order by 1")).rows;
    expect(await kept()).toHaveLength(3);
    await store.append(write('removed', 1, remove));
    expect(await kept()).toEqual([{ payment_id: 'pay_b' }]);
  });

  it.each(['update events set data = data', 'delete from events', 'truncate events'])(
    'does not let anybody rewrite history: %s',
    async (statement) => {
      const { pool, store } = storeWithOwnPool();
      await store.append(write(`history/${statement}`, NEW_STREAM));
      await expect(pool.query(statement)).rejects.toThrow();
    },
  );
});
