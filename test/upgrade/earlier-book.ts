import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { startAnvil } from '../../src/base/embedded/anvil.js';
import { applyMigrations, readMigrations } from '../../src/base/platform/migrate.js';
import { withDatabase } from '../support/database-urls.js';
import { engines, freshRedis } from '../support/engines.js';
import { freePort } from '../support/ports.js';

/**
 * What an installation of the version whose last migration was 0009 left behind when it was stopped: every table's rows, its
 * chain and its witness. It had sold twelve requests to `npm run agent`; the money of the last one had not moved.
 */
const BOOK = join(dirname(fileURLToPath(import.meta.url)), 'book-0009');
const LAST_MIGRATION = '0009_usage_sums';

export interface EarlierBook {
  readonly databaseUrl: string;
  /** The variables of the installation, for each of its processes. */
  readonly env: Readonly<Record<string, string>>;
  /** A data folder that holds the witness. */
  dataDir(): string;
  stop(): Promise<void>;
}

export async function openEarlierBook(): Promise<EarlierBook> {
  const folder = mkdtempSync(join(tmpdir(), 'tollbook-upgrade-'));
  const stateFile = join(folder, 'state.json');
  writeFileSync(stateFile, unzipped('chain.json.gz'));
  const log = () => undefined;
  const chain = await startAnvil({ stateFile, port: await freePort(), chainId: 84_532, log });
  const [databaseUrl, redisUrl] = await Promise.all([earlierDatabase(), freshRedis()]);
  let folders = 0;
  return {
    databaseUrl,
    env: {
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      CHAIN_RPC_URL: chain.rpcUrl,
      PUBLIC_URL: 'http://localhost:4020',
      TOLLBOOK_ADMIN_KEY: secret('admin'),
      TOLLBOOK_SIGNER_KEY: secret('settler'),
      TOLLBOOK_RECEIPT_KEY: secret('receipts'),
      TOLLBOOK_QUOTE_SECRET: secret('quotes'),
    },
    dataDir() {
      const dataDir = join(folder, `data-${folders++}`);
      mkdirSync(dataDir);
      copyFileSync(join(BOOK, 'seals.jsonl'), join(dataDir, 'seals.jsonl'));
      return dataDir;
    },
    async stop() {
      await chain.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Not one that anybody else uses, and the one that the book was kept with. */
function secret(name: string): string {
  return createHash('sha256').update(`upgrade ${name}`).digest('hex');
}

async function earlierDatabase(): Promise<string> {
  const { databaseUrl } = await engines();
  const name = `upgrade_${process.pid}`;
  const maker = new pg.Client({ connectionString: databaseUrl });
  await maker.connect();
  await maker.query(`create database ${name}`);
  await maker.end();
  const url = withDatabase(databaseUrl, name);
  const migrations = await readMigrations();
  await applyMigrations(
    url,
    migrations.filter((migration) => migration.name <= LAST_MIGRATION),
  );
  await insertRows(url);
  return url;
}

/** As they were: no trigger adds to them. */
async function insertRows(url: string): Promise<void> {
  const tables = JSON.parse(unzipped('rows.json.gz').toString()) as Record<string, readonly object[]>;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('set session_replication_role = replica');
  for (const [table, rows] of Object.entries(tables)) {
    const text = `insert into "${table}" select * from json_populate_recordset(null::"${table}", $1)`;
    await client.query(text, [JSON.stringify(rows)]);
  }
  await client.end();
}

function unzipped(name: string): Buffer {
  return gunzipSync(readFileSync(join(BOOK, name)));
}
