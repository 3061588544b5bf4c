import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of package.json, the nearest above this file, in src as in what was built of it. */
export const packageRoot = `${rootAbove(dirname(fileURLToPath(import.meta.url)))}/`;

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}
