import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What Node runs as this script: its bundle for this run.
 * @param path from the root of the repository, without its ending; one of those in process-scripts.mjs
 */
export function processScript(path: string): string {
  const file = join(process.env.TOLLBOOK_TEST_SCRIPTS ?? '', `${path}.mjs`);
  if (!existsSync(file)) throw new Error(`${path} is none of the scripts in process-scripts.mjs`);
  return file;
}
