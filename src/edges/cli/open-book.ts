import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import pg from 'pg';
import { DataDirInUse } from '../../base/embedded/data-dir.js';
import { chainsAt, readEndpoints } from '../../base/embedded/endpoints.js';
import { startEngines } from '../../base/embedded/engines.js';
import type { ChainSettings } from '../../base/platform/chain-settings.js';
import { type Config, ConfigError, type Environment, loadConfig } from '../../base/platform/config.js';
import { migrate } from '../../base/platform/migrate.js';
import { openBatchPool } from '../../base/platform/pool.js';
import { hasSecrets, loadSecrets, type Secrets } from '../../base/platform/secrets.js';
import { UsageError } from './command.js';

const CONNECTIONS = 8;
const ANSWER_MS = 3_000;

/** What a command needs to look at the book; the caller closes it. */
export interface Book {
  readonly config: Config;
  /** `undefined`: the book is in a database given by name, and its keys are not in the data folder. */
  readonly secrets: Secrets | undefined;
  /** Without a time limit for statements. */
  readonly pool: Pool;
  readonly databaseUrl: string;
  /** None: the book is in a database given by name, and no chain was given. */
  readonly chains: readonly ChainSettings[];
  /** Ends the connections, and the engines if they were started here. */
  close(): Promise<void>;
}

type Addresses = Pick<Book, 'databaseUrl' | 'chains'> & { stop(): Promise<void> };

/**
 * Opens the book where it is: the addresses in the environment, else those of the Tollbook that runs on this data folder, else
 * the engines of its own, started for as long as the command takes. Brings the database up to date.
 *
 * @param say one line of progress for people
 * @throws UsageError if there is no book, or its engines cannot be started
 */
export async function openBook(env: Environment, say: (line: string) => void): Promise<Book> {
  const config = usable(() => loadConfig(env));
  const { stop, ...addresses } = await findBook(config, env, say);
  try {
    await migrate(addresses.databaseUrl, say);
    // Keys made for the occasion would make every seal and receipt look forged.
    const secrets = (await hasSecrets(config.dataDir, env)) ? await loadSecrets(config.dataDir, env) : undefined;
    const log = { warn: (_details: unknown, message?: string) => say(message ?? 'a warning') };
    const pool = openBatchPool(addresses.databaseUrl, 'tollbook-command', CONNECTIONS, log);
    const close = async () => {
      await pool.end();
      await stop();
    };
    return { config, secrets, pool, ...addresses, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function findBook(config: Config, env: Environment, say: (line: string) => void): Promise<Addresses> {
  const nothing = async () => undefined;
  const running = await readEndpoints(config.dataDir);
  const chains = config.chains ?? (running ? chainsAt(running) : []);
  if (config.databaseUrl) return { databaseUrl: config.databaseUrl, chains, stop: nothing };
  // One that was killed leaves its endpoints behind.
  if (running && (await answers(running.postgres))) return { databaseUrl: running.postgres, chains, stop: nothing };
  if (!existsSync(join(config.dataDir, 'engines.json'))) {
    throw new UsageError(`There is no book in ${config.dataDir}: name another TOLLBOOK_DATA_DIR, or a DATABASE_URL`);
  }
  return startOwn(config, env, say);
}

async function startOwn(config: Config, env: Environment, say: (line: string) => void): Promise<Addresses> {
  const secrets = await loadSecrets(config.dataDir, env);
  // Nothing of a book is in Redis; and a command that serves nobody needs no ports of its own, as a worker does not.
  const embedded = { ...config.embedded, redis: false };
  const own: Config = { ...config, role: 'worker', redisUrl: config.redisUrl ?? 'redis://unused', embedded };
  try {
    const { chains, databaseUrl, stop } = await startEngines({ config: own, secrets, log: say });
    return { databaseUrl, chains, stop };
  } catch (error) {
    if (error instanceof DataDirInUse) throw new UsageError(error.message);
    throw error;
  }
}

async function answers(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: ANSWER_MS });
  client.on('error', () => undefined); // reported by the query that fails
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function usable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}
