import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

interface Process {
  readonly pid: number;
  readonly args: readonly string[];
}

export interface Mark {
  /** File name of the engine, `postgres` say. */
  readonly program: string;
  /** An argument that only this engine on this data has: its data folder, configuration or state file. */
  readonly path: string;
  readonly signal: NodeJS.Signals;
}

const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

/**
 * Stops engines that outlived the Tollbook that started them (it was killed). Only call with the data folder's lock
 * held: then nobody else can rightly be using them.
 */
export async function stopOrphans(marks: readonly Mark[], log: (line: string) => void): Promise<void> {
  const orphans = await findOrphans(marks);
  for (const { pid, mark } of orphans) {
    log(`Stopping ${mark.program} (process ${pid}), left over from a Tollbook that was killed…`);
    send(pid, mark.signal);
  }
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  for (let left = orphans; left.length > 0; left = await findOrphans(marks)) {
    if (Date.now() > deadline) for (const { pid } of left) send(pid, 'SIGKILL');
    await pause(POLL_MS);
  }
}

async function findOrphans(marks: readonly Mark[]): Promise<{ pid: number; mark: Mark }[]> {
  const processes = process.platform === 'linux' ? await listFromProc() : await listFromPs();
  return processes.flatMap(({ pid, args }) => {
    const mark = marks.find(({ program, path }) => basename(args[0] ?? '') === program && args.includes(path));
    return mark ? [{ pid, mark }] : [];
  });
}

/** Processes that see the same files as we do: a container's paths only look like ours. */
async function listFromProc(): Promise<Process[]> {
  const ours = await readlink('/proc/self/ns/mnt');
  const found = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        try {
          if ((await readlink(`/proc/${name}/ns/mnt`)) !== ours) return [];
          const args = (await readFile(`/proc/${name}/cmdline`, 'utf8')).split('\0');
          return [{ pid: Number(name), args }];
        } catch {
          return []; // ended meanwhile, or somebody else's
        }
      }),
  );
  return found.flat();
}

/** Where there is no /proc (macOS). Splits at blanks, so a folder with blanks in its name is not found. */
async function listFromPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, ...args]) => ({ pid: Number(pid), args }));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
