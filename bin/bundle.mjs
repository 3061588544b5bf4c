/** Puts what each process of `dist/` imports into few files: reading many small ones took half of a start. */
import { join } from 'node:path';
import { bundle } from './bundling.mjs';
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

await bundle({
  entryPoints: ENTRIES.map((path) => join(ROOT, 'dist', path)),
  outbase: join(ROOT, 'dist'),
  outdir: join(ROOT, 'dist'),
  allowOverwrite: true,
  sourcemap: true,
});
