import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { packageRoot } from './package-root.js';
import { withSchemaEngine } from './schema-engine.js';

const MIGRATIONS = join(packageRoot, 'prisma', 'migrations');
/** Advisory locks are named by two numbers: ours begin with 8402. */
const MIGRATION_LOCK = [8402, 0];

/**
 * Brings a database up to prisma/migrations, with the same history rows (`_prisma_migrations`) as
 * `prisma migrate deploy` writes. Any number of processes may call it at once: one works, the others wait.
 *
 * @throws if a migration fails, now or earlier
 */
export async function migrate(databaseUrl: string, log: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // A lock of the transaction, not of the session: that also works through a connection pooler.
    await client.query('begin');
    await client.query('set local idle_in_transaction_session_timeout = 0');
    await client.query('select pg_advisory_xact_lock($1, $2)', MIGRATION_LOCK);
    const applied = await applyMigrations(databaseUrl);
    if (applied.length > 0) log(`Applied database migrations ${applied.join(', ')}`);
  } finally {
    await client.end();
  }
}

async function applyMigrations(databaseUrl: string): Promise<string[]> {
  const lockfile = {
    path: 'migration_lock.toml',
    content: await readFile(join(MIGRATIONS, 'migration_lock.toml'), 'utf8'),
  };
  const migrationDirectories = await readMigrations();
  const { appliedMigrationNames } = await withSchemaEngine(databaseUrl, (engine) =>
    engine.applyMigrations({
      migrationsList: { baseDir: MIGRATIONS, lockfile, shadowDbInitScript: '', migrationDirectories },
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  return appliedMigrationNames;
}

async function readMigrations() {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const value = await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8');
      return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
    }),
  );
}
