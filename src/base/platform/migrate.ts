import { createHash } from 'node:crypto';
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
 * @throws if a migration fails, or was changed after it was applied
 */
export async function migrate(databaseUrl: string, log: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined); // reported by the query that fails
  await client.connect();
  try {
    // A lock of the transaction, not of the session: that also works through a connection pooler.
    await client.query('begin');
    await client.query('set local idle_in_transaction_session_timeout = 0');
    await client.query('select pg_advisory_xact_lock($1, $2)', MIGRATION_LOCK);
    const migrations = await readMigrations();
    if (await isUpToDate(client, migrations)) return;
    const applied = await applyMigrations(databaseUrl, migrations);
    log(`Applied database migrations ${applied.join(', ')}`);
  } finally {
    await client.end();
  }
}

export interface Migration {
  /** Name of its folder. */
  readonly name: string;
  readonly sql: string;
}

/** In the order of their names. */
export async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => ({ name, sql: await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8') })),
  );
}

/** Spares the usual start the loading of the engine, most of what migrating costs. */
async function isUpToDate(client: pg.Client, migrations: readonly Migration[]): Promise<boolean> {
  const { rows: tables } = await client.query("select to_regclass('_prisma_migrations') as found");
  if (tables[0].found === null) return false;
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    'select migration_name, checksum from _prisma_migrations where finished_at is not null and rolled_back_at is null',
  );
  const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]));
  const edited = migrations.filter(({ name, sql }) => (applied.get(name) ?? checksum(sql)) !== checksum(sql));
  if (edited.length > 0) {
    throw new Error(`Migrations were changed after they were applied: ${edited.map(({ name }) => name).join(', ')}`);
  }
  return migrations.every(({ name }) => applied.has(name));
}

/** As Prisma computes it. */
function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

/** Applies those that the database lacks, without the lock; returns their names. */
export async function applyMigrations(databaseUrl: string, migrations: readonly Migration[]): Promise<string[]> {
  const lockfile = await readFile(join(MIGRATIONS, 'migration_lock.toml'), 'utf8');
  const migrationsList = {
    baseDir: MIGRATIONS,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  };
  const filters = { externalTables: [], externalEnums: [] };
  const result = await withSchemaEngine(databaseUrl, (engine) => engine.applyMigrations({ migrationsList, filters }));
  return result.appliedMigrationNames;
}
