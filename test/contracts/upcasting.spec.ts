import type { Pool } from 'pg';
import type { StoredEvent } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { type Projection, ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { readFirstEvents } from '../../src/base/event-store/rows.js';
import { upcasterOf } from '../../src/base/event-store/upcast.js';
import type { Logger } from '../../src/base/platform/logger.js';
import { openPool } from '../../src/base/platform/pool.js';
import { freshDatabase } from '../support/engines.js';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const upcast = upcasterOf([{ type: 'Renamed', from: 1, data: ({ name }) => ({ title: name! }) }]);

let pool: Pool;
let url: string;
let store: EventStore;

beforeAll(async () => {
  url = await freshDatabase();
  pool = openPool(url, 'test', 4, silent);
  store = new EventStore(pool, () => Date.UTC(2026, 10, 23), upcast);
  await append('thing/old', 1, { name: 'a' });
  await append('thing/new', 2, { title: 'b' });
});

afterAll(() => pool?.end());

async function append(stream: string, schema: number, data: object): Promise<void> {
  const decide = () => ({ events: [{ type: 'Renamed', schema, data }] });
  await store.append({ stream, tenant: 't', expectedVersion: 0, decide });
}

const titlesOf = (events: readonly StoredEvent[]) => events.map(({ data, schema }) => [schema, data.title]);
const newest = [
  [2, 'a'],
  [2, 'b'],
];

describe('whoever reads events gets the newest version of them', () => {
  it('in the event store', async () => {
    expect(titlesOf(await store.readAfter(0n, 10))).toEqual(newest);
    expect(titlesOf(await store.readStream('thing/old'))).toEqual([[2, 'a']]);
    expect(titlesOf((await store.readStreams(['thing/old', 'thing/new'])).get('thing/old')!)).toEqual([[2, 'a']]);
    expect(titlesOf(await readFirstEvents(pool, ['thing/old'], upcast))).toEqual([[2, 'a']]);
  });

  it('in a projection', async () => {
    const seen: StoredEvent[] = [];
    const apply = async (_client: unknown, events: readonly StoredEvent[]) => void seen.push(...events);
    const projection: Projection = {
      ...{ name: 'seen', version: 1, types: ['Renamed'], tables: [], lagMs: 0 },
      begin: () => apply,
    };
    const runner = new ProjectionRunner(pool, new LogTail(url, silent), projection, silent, upcast);
    while (await runner.step());
    expect(titlesOf(seen)).toEqual(newest);
  });

  it('while what is stored stays as it was written', async () => {
    const { rows } = await pool.query('select schema, data from events order by position');
    expect(rows).toEqual([
      { schema: 1, data: { name: 'a' } },
      { schema: 2, data: { title: 'b' } },
    ]);
  });
});
