import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STOP_MS = 60_000;

/** Stops the engines of this run, if any spec started them, and removes their data. */
export default async function globalTeardown() {
  const folder = process.env.TOLLBOOK_TEST_RUN;
  const pidFile = join(folder, 'engines.pid');
  if (existsSync(pidFile)) await stop(Number(readFileSync(pidFile, 'utf8')));
  for (const made of [folder, process.env.TOLLBOOK_TEST_BUNDLES]) rmSync(made, { recursive: true, force: true });
}

async function stop(pid) {
  const end = Date.now() + STOP_MS;
  if (!signal(pid, 'SIGTERM')) return;
  while (signal(pid, 0)) {
    if (Date.now() > end) throw new Error(`the test engines (process ${pid}) do not stop`);
    await delay(50);
  }
}

function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
