/**
 * Puts what each process of `dist/` imports into few files: reading fifteen hundred small ones took half of a start. Packages
 * with native parts, WebAssembly or files beside their code stay where they are.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './prepare.mjs';

const ENTRIES = [
  'main.js',
  'verify.js',
  'rebuild.js',
  'edges/cli/sell.js',
  'edges/cli/agent.js',
  // Started on a thread of its own, by its own address.
  'edges/demo/upstream-thread.js',
];
/** Of many files each, plain JavaScript all of them. */
const BUNDLED = /^(@nestjs|@noble|@scure|abitype|ox|reflect-metadata|rxjs|structured-headers|viem|zod)(\/|$)/;
/** Optional parts of NestJS, which it looks for itself. */
const ABSENT = /^@nestjs\/(microservices|platform-express|websockets)(\/|$)/;

const outsiders = {
  name: 'outsiders',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      BUNDLED.test(path) && !ABSENT.test(path) ? undefined : { path, external: true },
    );
  },
};

await build({
  entryPoints: ENTRIES.map((path) => join(ROOT, 'dist', path)),
  outbase: join(ROOT, 'dist'),
  outdir: join(ROOT, 'dist'),
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  plugins: [outsiders],
  // What is left of CommonJS in them asks for modules of Node.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
