import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';

/** Content of a JSON file, or `undefined` if there is none. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Writes or replaces a file that only its owner may read (0600); readers see the old content or the new one. */
export async function writePrivateJson(path: string, value: object): Promise<void> {
  const draft = await writeDraft(path, value);
  await rename(draft, path);
}

/** Like `writePrivateJson`, but only if there is no such file yet. `false`: somebody else was first. */
export async function createPrivateJson(path: string, value: object): Promise<boolean> {
  const draft = await writeDraft(path, value);
  try {
    // A link, unlike a rename, refuses to replace; unlike opening with O_EXCL, it never shows a half-written file.
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(path: string, value: object): Promise<string> {
  const draft = `${path}.${randomUUID()}.tmp`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}
