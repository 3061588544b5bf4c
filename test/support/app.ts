import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshDatabase } from './engines.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';
import { postgresFolder } from './postgres-folder.js';

/** One running Tollbook, started as users start it. */
export interface App {
  readonly gateway: string;
  readonly control: string;
  readonly adminKey: string;
  /** Addresses of what it uses, as it published them. */
  readonly engines: { readonly postgres: string; readonly redis: string; readonly chain: string };
  readonly dataDir: string;
  readonly pid: number;
  /** Exit code, once it has ended by itself. */
  exitCode(): number | null;
  /** Everything it printed so far. */
  output(): string;
  /** Sends a signal to this process alone, and waits until it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it in order if it still runs, and removes its data. */
  stop(): Promise<void>;
}

export interface AppOptions {
  /** `DATABASE_URL`, `REDIS_URL`, `CHAIN_RPC_URL`, `ROLE` and so on; without them it starts its own engines. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `shared`, unless told otherwise: an empty database in the Postgres of this test run, which spares making and migrating
   * one. `own` for those that stop it, or start again on the same data folder.
   */
  readonly postgres?: 'own' | 'shared';
  /** A data folder of an earlier start, to continue with; it is kept by `stop`. */
  readonly dataDir?: string;
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Less than a hook's time limit, so that a failure shows what it printed. */
const READY_MS = 100_000;
const STOP_MS = 30_000;

/** Runs `dist/main.js` on free ports and waits for its ready line. */
export async function startApp({ env: given = {}, dataDir: kept, postgres = 'shared' }: AppOptions = {}): Promise<App> {
  const own = postgres === 'own' || kept !== undefined || given.DATABASE_URL !== undefined;
  const env = own ? given : { ...given, DATABASE_URL: await freshDatabase() };
  const dataDir = kept ?? mkdtempSync(join(tmpdir(), 'tollbook-app-'));
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'main.js')], {
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TOLLBOOK_DATA_DIR: dataDir,
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      LOG_LEVEL: 'warn',
      ...env,
    },
  });
  const output = collect(child);
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await eventually(() => hasEnded(child), STOP_MS);
  };
  try {
    await eventually(() => output().includes('Tollbook ready') || hasEnded(child), READY_MS);
    if (hasEnded(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
  } catch (error) {
    if (!hasEnded(child)) await kill('SIGTERM');
    if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
    throw new Error(`Tollbook did not start:\n${output()}`, { cause: error });
  }
  const endpoints = readEndpoints(dataDir);
  const cluster = env.DATABASE_URL ? undefined : await postgresFolder(endpoints.postgres, dataDir);
  return {
    gateway: endpoints.gateway,
    control: endpoints.control,
    adminKey: endpoints.adminKey,
    engines: { postgres: endpoints.postgres, redis: endpoints.redis, chain: endpoints.chain },
    dataDir,
    pid: child.pid!,
    exitCode: () => child.exitCode,
    output,
    kill,
    async stop() {
      if (!hasEnded(child)) await kill('SIGTERM');
      if (kept !== undefined) return;
      for (const folder of [dataDir, cluster]) if (folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function readEndpoints(
  dataDir: string,
): Record<'gateway' | 'control' | 'postgres' | 'redis' | 'chain' | 'adminKey', string> {
  return JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8'));
}
