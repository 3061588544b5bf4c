import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { clusterFolder } from '../../src/base/embedded/postgres-files.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { processScript } from '../support/process-script.js';

const START_MS = 60_000;
/** Only asked for, never listened on: the drivers can share them. */
const [PORT, ADMIN_PORT] = [String(await freePort()), String(await freePort())];

export interface Addresses {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly chainRpcUrl: string;
}

/** One Tollbook's engines, in a process group of their own so that a Ctrl-C can be imitated. */
export class Driver {
  output = '';
  private readonly child: ChildProcess;

  constructor(dataDir: string) {
    this.child = spawn(process.execPath, [processScript('test/embedded/driver')], {
      env: { PATH: process.env.PATH, TOLLBOOK_DATA_DIR: dataDir, PORT, ADMIN_PORT },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  ready(): Promise<Addresses> {
    return eventually(() => {
      const line = /^ready (.*)$/m.exec(this.output)?.[1];
      if (line) return JSON.parse(line) as Addresses;
      throw new Error(`not ready: ${this.output}`);
    }, START_MS);
  }

  /** To the whole group, as a terminal does. */
  async interrupt(): Promise<number | null> {
    process.kill(-this.pid, 'SIGINT');
    return this.exitCode();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exitCode();
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

/** Process ids of the engines on a data folder. Linux only, like the machines these specs run on. */
export async function enginePids(dataDir: string): Promise<number[]> {
  const places = [dataDir, await cluster(dataDir)];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const args = commandLine(name);
      return (
        /(postgres|redis-server|anvil)$/.test(args[0] ?? '') &&
        args.some((arg) => places.some((at) => arg.startsWith(at)))
      );
    })
    .map(Number);
}

export async function killEngines(dataDir: string): Promise<void> {
  for (const pid of await enginePids(dataDir)) process.kill(pid, 'SIGKILL');
}

/** Data and, as root, the cluster beside it. */
export async function removeData(dataDir: string): Promise<void> {
  const data = await cluster(dataDir);
  await rm(data.startsWith(dataDir) ? data : dirname(data), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

export async function sql(url: string, text: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  redis.on('error', () => undefined); // reported by the command that fails
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function cluster(dataDir: string): Promise<string> {
  const { id } = JSON.parse(await readFile(join(dataDir, 'engines.json'), 'utf8')) as { id: string };
  return clusterFolder(dataDir, id);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
