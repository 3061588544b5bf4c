/**
 * The engines of one test run, in a process of their own, so that they outlive the spec that asked first:
 * `engines-process.ts <folder> <owner>` writes `<folder>/engines.json` when all answer, and stops them on SIGTERM or when
 * the test run, process `owner`, is gone.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startEngines } from '../../src/base/embedded/engines.js';
import { loadConfig } from '../../src/base/platform/config.js';
import { migrate } from '../../src/base/platform/migrate.js';
import { loadSecrets } from '../../src/base/platform/secrets.js';
import { TEMPLATE, withDatabase } from './database-urls.js';
import { freePort } from './ports.js';
import { postgresFolder } from './postgres-folder.js';

const [folder, owner] = [process.argv[2]!, Number(process.argv[3])];
const OWNER_CHECK_MS = 1_000;
let stopping = false;
const log = (line: unknown) => console.log(typeof line === 'string' ? line : JSON.stringify(line));

// Nobody listens there, but starting engines wants the two free, and a Tollbook may run beside the tests.
const [PORT, ADMIN_PORT] = [String(await freePort()), String(await freePort())];
const env = { TOLLBOOK_DATA_DIR: join(folder, 'data'), PORT, ADMIN_PORT };
const config = loadConfig(env);
const secrets = await loadSecrets(config.dataDir, env);
const engines = await startEngines({ config, secrets, log });
const postgres = await postgresFolder(engines.databaseUrl, config.dataDir);
await makeTemplate(engines.databaseUrl);
const { chains, databaseUrl, redisUrl } = engines;
const chainRpcUrl = chains[0]!.rpcUrls[0]!;
writeFileSync(join(folder, 'engines.json.new'), JSON.stringify({ databaseUrl, redisUrl, chainRpcUrl }), {
  mode: 0o600,
});
renameSync(join(folder, 'engines.json.new'), join(folder, 'engines.json'));

process.once('SIGTERM', stop);
setInterval(() => {
  if (!isAlive(owner)) void stop();
}, OWNER_CHECK_MS);

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await engines.stop();
  if (postgres !== undefined) rmSync(postgres, { recursive: true, force: true });
  if (!isAlive(owner)) rmSync(folder, { recursive: true, force: true });
  process.exit();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Copying a migrated database takes a tenth of migrating an empty one, and less if no disk is waited for. */
async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // Nothing outlives the run, and who kills Postgres has one of its own.
  for (const setting of ['fsync', 'full_page_writes']) await client.query(`alter system set ${setting} = off`);
  await client.query('select pg_reload_conf()');
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  await migrate(withDatabase(url, TEMPLATE), log);
}
