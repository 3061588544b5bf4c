import { execFile } from 'node:child_process';
import { access, constants, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Debian asks this file before it starts or stops a service; exit code 101 forbids it. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const LOCK_WAIT = ['-o', 'DPkg::Lock::Timeout=120'];

/** Path of `redis-server`, installed from Debian's package if it is missing and we may. */
export async function ensureRedisServer(log: (line: string) => void): Promise<string> {
  const found = await findProgram('redis-server');
  if (found) return found;
  if (process.getuid?.() === 0 && (await findProgram('apt-get'))) {
    log('Installing redis-server…');
    await installPackage();
    const installed = await findProgram('redis-server');
    if (installed) return installed;
  }
  throw new Error(
    'Tollbook needs Redis and found no redis-server. Install it (Debian, Ubuntu: sudo apt-get install redis-server; ' +
      'macOS: brew install redis) and start again, or set REDIS_URL to one that runs (docker-compose.yml has one).',
  );
}

async function installPackage(): Promise<void> {
  const keptQuiet = await forbidServices();
  try {
    await aptGet(['install', 'redis-server']).catch(async () => {
      await aptGet(['update']);
      await aptGet(['install', 'redis-server']);
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`redis-server could not be installed: ${stderr ?? (error as Error).message}`, { cause: error });
  } finally {
    if (keptQuiet) await rm(POLICY_FILE, { force: true });
  }
}

/** We run a server of our own: the package's must not take port 6379. `false`: the machine has a policy already. */
async function forbidServices(): Promise<boolean> {
  try {
    await writeFile(POLICY_FILE, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function aptGet(args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await promisify(execFile)('apt-get', ['-qq', '-y', '--no-install-recommends', ...LOCK_WAIT, ...args], { env });
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
