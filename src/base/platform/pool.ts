import { Pool } from 'pg';
import type { Logger } from './logger.js';

/**
 * Connections that send a query without waiting for the answer of the one before (pipelining). Nothing that waits for
 * Postgres waits for ever, and a lost connection ends a query, not the process.
 *
 * @param max most connections
 */
export function openPool(databaseUrl: string, name: string, max: number, log: Pick<Logger, 'warn'>): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    pipeline: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
    statement_timeout: 12_000,
    // A process that stops within a transaction must not keep its locks from the others.
    idle_in_transaction_session_timeout: 5_000,
  });
  return watched(pool, log);
}

/**
 * Connections for commands that read or write the whole book: one statement may take minutes. Between statements of a
 * transaction at most a minute passes, or Postgres ends it.
 *
 * @param max most connections
 */
export function openBatchPool(databaseUrl: string, name: string, max: number, log: Pick<Logger, 'warn'>): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: 5_000,
    idle_in_transaction_session_timeout: 60_000,
  });
  return watched(pool, log);
}

/** The same for the database of another pool, for long work of a process that mostly does short work. */
export function openBatchPoolBeside(pool: Pool, name: string, log: Pick<Logger, 'warn'>): Pool {
  return openBatchPool(pool.options.connectionString!, name, 4, log);
}

function watched(pool: Pool, log: Pick<Logger, 'warn'>): Pool {
  pool.on('error', (error) => log.warn({ err: error.message }, 'an idle database connection was lost'));
  // The pool listens to idle connections only: one lost while in use would end the process. Its query fails anyhow.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
