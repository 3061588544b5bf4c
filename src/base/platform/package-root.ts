import { fileURLToPath } from 'node:url';

/** Folder of package.json. This file lies three folders below it, in src as in dist. */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));
