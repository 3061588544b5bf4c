import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { PublishMeter } from '../../src/domains/metering/meter.decide.js';
import { UsageIngestion } from '../../src/domains/metering/usage-ingestion.js';
import { usageCheck } from '../../src/domains/reports/checks/usage.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { freshDatabase } from '../support/engines.js';
import { publish } from '../support/publishing.js';
import { runOn } from './checks.js';

let url: string;

beforeAll(async () => {
  url = await freshDatabase();
  const late = { kind: 'own_period' } as const;
  const rules = { aggregation: 'sum', value: '/n', eventType: 'used', unit: 'thing', late } as const;
  await publish(url, [new PublishMeter('shop', 'things', rules)]);
  const pool = openPool(url, 'test', 2, console);
  const ingestion = new UsageIngestion(pool, new EventStore(pool, systemClock, upcast), systemClock);
  const time = '2026-11-25T04:00:00.5Z';
  for (const ids of [['1', '2'], ['3'], ['4', '5', '6']]) {
    const sent = ids.map((id) => ({
      ...{ specversion: '1.0', id, source: '/a', type: 'used', subject: 'cus_1', time, data: { n: 1.5 } },
    }));
    await ingestion.ingest('shop', sent, { atomic: false });
  }
  await pool.end();
});

const usage = async () => (await runOn(url, [usageCheck])).usage!;

/** As nobody can who is not the owner of the table. */
async function edit(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('alter table usage_events disable trigger usage_events_only_grow');
  await client.query(sql);
  await client.query('alter table usage_events enable trigger usage_events_only_grow');
  await client.end();
}

describe('usage events', () => {
  it('are what the log says of their batches', async () => {
    expect(await usage()).toMatchObject({ differences: [], counts: { batches: 3, events: 6 } });
  });

  it.each([
    ['update usage_events set metered = \'{"things":"1.4"}\' where id = \'1\'', 'digest of usage events'],
    ["update usage_events set customer = 'cus_2' where id = '1'", 'digest of usage events'],
    [
      "update usage_events set occurred_at = occurred_at + interval '1 microsecond' where id = '1'",
      'digest of usage events',
    ],
    ["update usage_events set received_at = received_at - interval '1 ms' where id = '1'", 'digest of usage events'],
    ["update usage_events set event = replace(event, '1.5', '1.50') where id = '1'", 'digest of usage events'],
    ["update usage_events set line = line + 5 where id = '1'", 'digest of usage events'],
    ["update usage_events set tenant = 'other' where id = '3'", 'usage events that nobody sent'],
    [
      "insert into usage_events select tenant, source, '9', batch, 9, customer, occurred_at, received_at, replaces, metered, event, leaf from usage_events where id = '1'",
      'usage events',
    ],
    ["delete from usage_events where id = '3'", 'usage events'],
  ])('are found changed: %s', async (sql, what) => {
    const copy = 'create temp table kept as table usage_events';
    const back = 'truncate usage_events; insert into usage_events table kept';
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(copy);
    await edit(sql);
    const { differences } = await usage();
    await client.query(`alter table usage_events disable trigger usage_events_only_grow; ${back};
      alter table usage_events enable trigger usage_events_only_grow`);
    await client.end();
    expect(differences.map((one) => one.what)).toContain(what);
    expect(await usage()).toMatchObject({ differences: [] });
  });
});
