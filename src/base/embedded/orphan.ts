import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { EmbeddedLog } from './anvil.js';

const GRACE_MS = 10_000;

/**
 * Stops the process named in `pidFile` if it is still the one we started, left behind by a parent that was killed.
 * Process ids are reused: its command line must contain every one of `marks` (the path of its state, say).
 */
export async function stopOrphan(pidFile: string, marks: readonly string[], log: EmbeddedLog): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (Number.isSafeInteger(pid) && pid > 1 && (await isOurs(pid, marks))) {
    log.warn(`stopping process ${pid}, left behind by an earlier run`);
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + GRACE_MS;
    while (await isOurs(pid, marks)) {
      if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
      await sleep(50);
    }
  }
  await rm(pidFile, { force: true });
}

async function isOurs(pid: number, marks: readonly string[]): Promise<boolean> {
  const command = await commandLine(pid);
  return command !== '' && marks.every((mark) => command.includes(mark));
}

/** Empty if there is no such process (a zombie has no command line either). */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    return (await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command='])).stdout;
  } catch {
    return '';
  }
}
