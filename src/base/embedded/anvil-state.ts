import { copyFile, open, readFile, rename, rm, stat } from 'node:fs/promises';

const COPY_EVERY_MS = 5_000;

/**
 * The chain overwrites its state in place, so a kill can leave half a file, which it then refuses to load.
 * Puts the last whole copy in its place; without one the chain starts empty, and the broken file is kept aside.
 */
export async function restoreStateFile(stateFile: string, warn: (message: string) => void): Promise<void> {
  const good = `${stateFile}.good`;
  if (await isWholeState(stateFile)) return copyFile(stateFile, good);
  const existed = (await stat(stateFile).catch(() => undefined)) !== undefined;
  if (existed) await rename(stateFile, `${stateFile}.broken`);
  if (await isWholeState(good)) {
    await copyFile(good, stateFile);
    warn('the state of the chain was damaged; going back to its last whole copy, a few blocks may be missing');
  } else if (existed) {
    warn(`the state of the chain was damaged and no copy is left; starting an empty chain (${stateFile}.broken)`);
  }
}

/** Copies the state every few seconds while the chain runs. */
export function keepStateCopies(stateFile: string, warn: (message: string) => void): { stop(): void } {
  let copiedAt = 0;
  let busy = false;
  const copy = async () => {
    const { mtimeMs } = await stat(stateFile);
    if (mtimeMs === copiedAt) return;
    const fresh = `${stateFile}.copy`;
    await copyFile(stateFile, fresh);
    const changed = (await stat(stateFile)).mtimeMs !== mtimeMs;
    if (changed || !(await endsLikeState(fresh))) return rm(fresh, { force: true });
    await rename(fresh, `${stateFile}.good`);
    copiedAt = mtimeMs;
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    copy()
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') warn(`the state of the chain could not be copied: ${error.message}`);
      })
      .finally(() => {
        busy = false;
      });
  }, COPY_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

async function isWholeState(file: string): Promise<boolean> {
  try {
    const state: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof state === 'object' && state !== null && 'block' in state;
  } catch {
    return false;
  }
}

/** Cheap enough for every few seconds: a file cut short does not end with the brace that closes the whole. */
async function endsLikeState(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const last = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return size > 0 && last.buffer.toString() === '}';
  } finally {
    await handle.close();
  }
}
