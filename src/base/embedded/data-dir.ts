import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createPrivateJson, readJson } from '../platform/private-file.js';

interface Holder {
  readonly pid: number;
  /** Process numbers are given out again; together with this one is unique. */
  readonly startedAt: string;
}

/** A living Tollbook has its engines on this folder. */
export class DataDirInUse extends Error {}

/** A takeover lasts milliseconds; one that is still there after this long was killed in the middle. */
const TAKEOVER_MS = 5_000;

/**
 * Takes the folder for this process; engines may then be started on it. The lock of a process that was killed is
 * taken over.
 *
 * @returns what gives it back
 * @throws DataDirInUse
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'lock.json');
  const self: Holder = { pid: process.pid, startedAt: (await startOf(process.pid)) ?? '' };
  while (!(await createPrivateJson(file, self))) {
    const holder = await readJson<Holder>(file);
    if (holder && (await startOf(holder.pid)) === holder.startedAt) {
      throw new DataDirInUse(
        `${dataDir} is in use by a running Tollbook (process ${holder.pid}). Stop it first, or set TOLLBOOK_DATA_DIR ` +
          'to another folder and PORT and ADMIN_PORT to other ports.',
      );
    }
    if (holder) await removeStale(file, holder);
  }
  return () => rm(file, { force: true });
}

/** Two starts may find the same stale lock: only who holds the takeover removes it, and only if it is still that one. */
async function removeStale(file: string, stale: Holder): Promise<void> {
  const takeover = `${file}.takeover`;
  if (await createPrivateJson(takeover, { at: Date.now() })) {
    const current = await readJson<Holder>(file);
    if (current?.pid === stale.pid && current.startedAt === stale.startedAt) await rm(file, { force: true });
    await rm(takeover, { force: true });
    return;
  }
  const other = await readJson<{ at: number }>(takeover);
  if (other && Date.now() - other.at > TAKEOVER_MS) await rm(takeover, { force: true });
  await pause(20);
}

/** When a living process started, in some unit; `undefined` if there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
      return stdout.trim();
    }
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the name in parentheses may hold anything; after it, state is field 3 and start time field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${boot} ${fields[22 - 3]}`;
  } catch {
    return undefined;
  }
}
