import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { type RunningEngine, runEngine } from './process.js';
import { ensureRedisServer } from './redis-install.js';

export interface RedisOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
  log(line: string): void;
}

/** Starts Redis with its data in `redis/` of the data folder. Needs Redis 6.2 or newer. */
export async function startRedis(options: RedisOptions): Promise<RunningEngine & { readonly url: string }> {
  const file = await ensureRedisServer(options.log);
  const config = redisConfigFile(options.dataDir);
  const folder = dirname(config);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(config, settings(options, folder), { mode: 0o600 });
  await chmod(config, 0o600);
  options.log('Starting Redis…');
  const url = `redis://:${options.password}@127.0.0.1:${options.port}`;
  const engine = await runEngine(
    {
      name: 'Redis',
      file,
      args: [config],
      cwd: folder,
      logFile: join(options.dataDir, 'redis.log'),
      // Writes out what is left of the append-only file.
      stopSignal: 'SIGTERM',
      ready: () => ping(url),
    },
    options.log,
  );
  return { ...engine, url };
}

export function redisConfigFile(dataDir: string): string {
  return join(dataDir, 'redis', 'redis.conf');
}

/** In a file, because arguments are for everybody to see and the password is not. */
function settings({ port, password }: RedisOptions, folder: string): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    // Without it a kill loses every acknowledged job.
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // Queues must never be evicted: better refuse a write than forget a job.
    'maxmemory-policy noeviction',
    // Keeps the arguments visible, by which a left-over server is recognised.
    'set-proc-title no',
    'daemonize no',
    'supervised no',
    '',
  ].join('\n');
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 });
  client.on('error', () => undefined); // reported by connect
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
