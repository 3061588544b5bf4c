import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Pool } from 'pg';
import { NEW_STREAM } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import type { Write } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';

const quiet = { warn: () => undefined };
const pools: Pool[] = [];
let databaseUrl: string;

function poolAt(url: string): Pool {
  const pool = openPool(url, 'test', 4, quiet);
  pools.push(pool);
  return pool;
}

function storeOn(pool: Pool): EventStore {
  return new EventStore(pool, () => 1_800_000_000_000);
}

const storeAt = (url: string) => storeOn(poolAt(url));

function write(stream: string, expectedVersion: number, over: Partial<Write> = {}): Write {
  const decide = () => ({ events: [{ type: 'Tested', schema: 1, data: { stream, n: expectedVersion } }] });
  return { stream, tenant: 'test', expectedVersion, decide, ...over };
}

/** Between a store and Postgres; loses the answer to the first commit that follows `arm`, with the connection. */
class LossyLine {
  private armed = false;
  private target!: URL;
  private readonly server: Server = createServer((client) => this.join(client));

  async open(url: string): Promise<string> {
    this.target = new URL(url);
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((this.server.address() as AddressInfo).port);
    return through.href;
  }

  arm(): void {
    this.armed = true;
  }

  close(): void {
    this.server.close();
  }

  private join(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    let asked = '';
    client.on('data', (bytes) => {
      asked = bytes.toString('latin1');
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (this.armed && asked.includes('commit') && bytes.includes('COMMIT')) {
        this.armed = false;
        client.destroy();
        server.destroy();
      } else client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  }
}

const line = new LossyLine();

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  // As a Postgres comes that is not ours.
  const name = new URL(databaseUrl).pathname.slice(1);
  await poolAt(databaseUrl).query(`alter database "${name}" set idle_in_transaction_session_timeout = 0`);
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  line.close();
});

describe('an append', () => {
  it('whose commit was answered to nobody is found to be there, once', async () => {
    const store = storeAt(await line.open(databaseUrl));
    await store.append(write('warm', NEW_STREAM));
    await store.append(write('lost/known', NEW_STREAM));
    line.arm();
    const holds = [{ key: 'limit/lost', delta: 7n, limit: 10n }];
    const results = await Promise.all([
      store.append(write('lost/new', NEW_STREAM, { holds })),
      store.append(write('lost/known', 1)),
    ]);
    expect(results.map(({ version }) => version)).toEqual([1, 2]);
    const stored = await store.readStreams(['lost/new', 'lost/known']);
    expect(results.map(({ position }) => position)).toEqual([
      stored.get('lost/new')!.at(-1)!.position,
      stored.get('lost/known')!.at(-1)!.position,
    ]);
    const { rows } = await pools[0]!.query("select held::text from hold_totals where key = 'limit/lost'");
    expect(rows).toEqual([{ held: '7' }]);
  });

  it('is not kept waiting by a process that stopped in the middle of one', async () => {
    const [stopped, store] = [openPool(databaseUrl, 'stopped', 1, quiet), storeAt(databaseUrl)];
    const holds = [{ key: 'limit/stopped', delta: 1n }];
    await store.append(write('stopped/0', NEW_STREAM, { holds }));
    const client = await stopped.connect();
    await client.query('begin');
    await client.query("select 1 from hold_totals where key = 'limit/stopped' for update");
    const results = await Promise.all([
      store.append(write('stopped/1', NEW_STREAM, { holds })),
      store.append(write('stopped/2', NEW_STREAM)),
    ]);
    expect(results.map(({ version }) => version)).toEqual([1, 1]);
    client.release(true);
    await stopped.end();
  });

  it('of an honest writer succeeds however often others claim a stream of its batch first', async () => {
    const pool = poolAt(databaseUrl);
    const [other, streams] = [storeAt(databaseUrl), Array.from({ length: 20 }, (_, n) => `raced/${n}`)];
    let next = 0;
    let rivalry = Promise.resolve<unknown>(undefined);
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (config: { name?: string }) => Promise<unknown>;
      client.query = (async (config: { name?: string }) => {
        const answer = await query(config);
        if (config.name === 'stream-versions') await rival();
        return answer;
      }) as never;
    });
    // Claims one more stream of the batch between its look and its writing, unless that has to wait for the batch.
    const rival = async () => {
      let done = false;
      rivalry = other.append(write(streams[next++]!, NEW_STREAM)).then(
        () => {
          done = true;
        },
        () => {
          done = true;
        },
      );
      await eventually(async () => done || (await waitingForLocks()) > 0, 5_000);
    };
    const store = storeOn(pool);
    const outcomes = await Promise.allSettled(
      ['honest', ...streams].map((stream) => store.append(write(stream, NEW_STREAM))),
    );
    await rivalry;
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled' });
    expect(next).toBeGreaterThan(0);
  });
});

async function waitingForLocks(): Promise<number> {
  const { rows } = await pools[0]!.query<{ waiting: string }>(
    "select count(*) as waiting from pg_locks where not granted and locktype = 'advisory'",
  );
  return Number(rows[0]!.waiting);
}
