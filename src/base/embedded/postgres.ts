import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type PostgresPlace, placePostgres } from './postgres-files.js';
import { engineEnvironment, type RunningEngine, runEngine } from './process.js';

const USER = 'tollbook';
const DATABASE = 'tollbook';

export interface PostgresOptions {
  /** Logs, and the cluster itself unless we are root. */
  readonly dataDir: string;
  readonly id: string;
  readonly port: number;
  readonly password: string;
  log(line: string): void;
}

/** Starts the cluster, making it if needed. The caller has made sure that no server runs on it (`stopOrphans`). */
export async function startPostgres(options: PostgresOptions): Promise<RunningEngine & { readonly url: string }> {
  const place = await placePostgres(options.dataDir, options.id);
  if (await exists(join(place.data, 'PG_VERSION'))) {
    // Nobody runs it: its process number may have gone to another program since, which would keep Postgres from starting.
    await rm(join(place.data, 'postmaster.pid'), { force: true });
  } else {
    options.log('Creating the Postgres database…');
    await createCluster(place, options.password);
  }
  options.log('Starting Postgres…');
  const urlOf = (database: string) => `postgres://${USER}:${options.password}@127.0.0.1:${options.port}/${database}`;
  const engine = await runEngine(
    {
      name: 'Postgres',
      file: join(place.bin, 'postgres'),
      args: ['-D', place.data, ...settings(options.port)],
      cwd: place.data,
      account: place.account,
      logFile: join(options.dataDir, 'postgres.log'),
      // Fast shutdown: sessions are ended, everything is written.
      stopSignal: 'SIGINT',
      ready: () => ensureDatabase(urlOf('postgres')),
    },
    options.log,
  );
  return { ...engine, url: urlOf(DATABASE) };
}

function settings(port: number): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // A process holds about twenty: room for a dozen gateways and workers beside each other.
    max_connections: 300,
    shared_buffers: sharedBuffers(totalmem()),
    // After each checkpoint a page's first change is logged whole, and the index of streams is changed all over: few of them.
    max_wal_size: '2GB',
    idle_in_transaction_session_timeout: '5s',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** An eighth of the memory, 128 MB to 1 GB, taken only as far as it is used: the log's index of streams should fit. */
function sharedBuffers(memory: number): string {
  const megabytes = Math.floor(memory / 8 / 2 ** 20);
  return `${Math.min(Math.max(megabytes, 128), 1024)}MB`;
}

/** Under another name first: an initdb that was interrupted must not look like a cluster. */
async function createCluster(place: PostgresPlace, password: string): Promise<void> {
  const draft = `${place.data}.new`;
  const passwordFile = `${place.data}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    if (place.account) {
      await chown(draft, place.account.uid, place.account.gid);
      await chown(passwordFile, place.account.uid, place.account.gid);
    }
    // The built-in C.UTF-8 sorts the same on every machine and needs no system locales.
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--encoding=UTF8'];
    const access = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    await promisify(execFile)(join(place.bin, 'initdb'), ['-D', draft, ...access, ...locale], {
      cwd: draft,
      env: engineEnvironment(),
      ...place.account,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, place.data);
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined); // reported by the query that fails
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function exists(path: string): Promise<boolean> {
  return (await readFile(path).catch(() => undefined)) !== undefined;
}
