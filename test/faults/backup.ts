import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clusterFolder } from '../../src/base/embedded/postgres-files.js';

const run = promisify(execFile);

/** The Postgres folder as it was; nothing else is kept, as docs/restore.md asks for no more of the engines. */
export interface Backup {
  /** Puts it in the place of what is there now. Postgres must not run. */
  putBack(): Promise<void>;
  remove(): Promise<void>;
}

/** Copies the Postgres folder of a Tollbook that is stopped. */
export async function backUp(dataDir: string): Promise<Backup> {
  const { id } = JSON.parse(await readFile(join(dataDir, 'engines.json'), 'utf8')) as { id: string };
  const folder = clusterFolder(dataDir, id);
  const copy = `${folder}.backup`;
  await copyFolder(folder, copy);
  return {
    async putBack() {
      await rm(folder, { recursive: true });
      await copyFolder(copy, folder);
    },
    remove: () => rm(copy, { recursive: true, force: true }),
  };
}

/** With owners and times: as root, Postgres runs as somebody else. */
async function copyFolder(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]);
}
