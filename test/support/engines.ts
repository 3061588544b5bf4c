import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';
import { TEMPLATE, withDatabase } from './database-urls.js';
import { eventually } from './eventually.js';
import { processScript } from './process-script.js';

/** Addresses of a real Postgres, Redis and chain with USDC, shared by all specs of one run. */
export interface Engines {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly chainRpcUrl: string;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const START_MS = 60_000;
/** Redis has sixteen databases; number 0 stays empty. */
const REDIS_DATABASES = 15;

/** Starts the engines for whoever asks first in this run; everybody else gets the same ones. */
export async function engines(): Promise<Engines> {
  const folder = runFolder();
  if (claim(join(folder, 'starting'))) startProcess(folder);
  return eventually(() => readEngines(folder), START_MS);
}

/** An empty, migrated database of one's own. Dropping it is left to the end of the run. */
export async function freshDatabase(): Promise<string> {
  const { databaseUrl } = await engines();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // Two copies of one template at once fail: one of them sees the other as a user of the template.
    await client.query('select pg_advisory_lock(4021)');
    await client.query(`create database ${name} template ${TEMPLATE}`);
  } finally {
    await client.end();
  }
  return withDatabase(databaseUrl, name);
}

/** An empty Redis database; they are given out in turn, so at most fifteen can be in use at once. */
export async function freshRedis(): Promise<string> {
  const { redisUrl } = await engines();
  const url = `${redisUrl.replace(/\/\d*$/, '')}/${(nextNumber('redis') % REDIS_DATABASES) + 1}`;
  const redis = new Redis(url);
  await redis.flushdb();
  await redis.quit();
  return url;
}

function runFolder(): string {
  const folder = process.env.TOLLBOOK_TEST_RUN;
  if (folder === undefined) throw new Error('run specs with jest.config.js: its global setup prepares the engines');
  return folder;
}

function startProcess(folder: string): void {
  const output = openSync(join(folder, 'engines.log'), 'a');
  const owner = process.env.TOLLBOOK_TEST_OWNER ?? '';
  const child = spawn(process.execPath, [processScript('test/support/engines-process'), folder, owner], {
    cwd: join(HERE, '..', '..'),
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  writeFileSync(join(folder, 'engines.pid'), String(child.pid));
  child.once('exit', (code) => writeFileSync(join(folder, 'engines.failed'), String(code)));
  child.unref();
}

function readEngines(folder: string): Engines | undefined {
  if (existsSync(join(folder, 'engines.json'))) {
    return JSON.parse(readFileSync(join(folder, 'engines.json'), 'utf8')) as Engines;
  }
  const failed = existsSync(join(folder, 'engines.failed'));
  throw new Error(`${failed ? 'engines ended' : 'engines are starting'}:\n${tail(join(folder, 'engines.log'))}`);
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-2000) : '';
}

/** Making a folder is atomic: true for exactly one caller of all processes. */
function claim(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function nextNumber(name: string): number {
  for (let number = 0; ; number++) {
    if (claim(join(runFolder(), `${name}-${number}`))) return number;
  }
}
