/** Processes that specs start, and kill, again and again: bundled once for a run, since from TypeScript each takes seconds to start. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../bin/bundling.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SCRIPTS = [
  'src/rebuild.ts',
  'test/embedded/driver.ts',
  'test/faults/projection-worker.ts',
  'test/seals/sealer-process.ts',
  'test/settlement/refund-process.ts',
  'test/settlement/worker-process.ts',
  'test/stripe-server/process.ts',
  'test/support/engines-process.ts',
  'test/support/start-anvil.ts',
];

/** Bundles them into this folder, each by its path. */
export async function bundleScripts(folder) {
  await bundle({
    entryPoints: SCRIPTS.map((path) => join(ROOT, path)),
    outbase: ROOT,
    outdir: folder,
    // No package.json there says what kind of modules they are.
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
  });
}
