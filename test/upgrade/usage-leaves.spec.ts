import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { PublishMeter } from '../../src/domains/metering/meter.decide.js';
import { UsageIngestion } from '../../src/domains/metering/usage-ingestion.js';
import { freshDatabase } from '../support/engines.js';
import { publish } from '../support/publishing.js';

const MIGRATION = join(process.cwd(), 'prisma', 'migrations', '0190_invoicing', 'migration.sql');

/** As the migration reckons the leaves of events that were there before it. */
function expression(): string {
  const found = /set leaf = (sha256\([\s\S]*?'UTF8'\)\));\n/.exec(readFileSync(MIGRATION, 'utf8'));
  return found![1]!;
}

it('usage events that were there before have the leaves that the same events get today', async () => {
  const url = await freshDatabase();
  const late = { kind: 'own_period' } as const;
  const meters = ['tokens', 'a', 'z-9'].map(
    (id) =>
      new PublishMeter('shop', id, {
        ...{ aggregation: 'sum', value: '/n', eventType: 'used', unit: 'thing', late },
      } as const),
  );
  await publish(url, meters);
  const pool = openPool(url, 'test', 2, console);
  const ingestion = new UsageIngestion(pool, new EventStore(pool, systemClock), systemClock);
  const ids = ['plain', 'with "quotes" and \\ and /', 'Ünïcödé ✓ 𝒳', '<b>&amp;</b>'];
  const sent = ids.map((id, n) => ({
    ...{ specversion: '1.0', id, source: '/a', type: 'used', subject: 'cus_1', data: { n: '1.50', text: id } },
    time: `2026-11-25T04:00:0${n}.${'123456'.slice(0, n + 1)}Z`,
    ...(n === 1 && { replaces: 'plain' }),
  }));
  const results = await ingestion.ingest('shop', sent, { atomic: false });
  await pool.end();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(`select id, leaf = ${expression()} as same from usage_events u`);
  await client.end();
  expect(results).toHaveLength(ids.length);
  expect(rows).toHaveLength(ids.length);
  expect(rows).toEqual(expect.arrayContaining(ids.map((id) => ({ id, same: true }))));
});
