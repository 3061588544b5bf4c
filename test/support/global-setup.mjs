import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePackages } from './packages.mjs';
import { bundleScripts } from './process-scripts.mjs';

/** Bundles lie below the packages that they import. */
const CACHE = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'node_modules', '.cache');
const SEEDS = 2 ** 31;

/** Engines start when the first spec asks for them (engines.ts); this folder is where the specs of one run meet. */
export default async function globalSetup() {
  process.env.TOLLBOOK_TEST_RUN = mkdtempSync(join(tmpdir(), 'tollbook-test-'));
  mkdirSync(CACHE, { recursive: true });
  const bundles = mkdtempSync(join(CACHE, 'tollbook-test-'));
  process.env.TOLLBOOK_TEST_BUNDLES = bundles;
  process.env.TOLLBOOK_TEST_PACKAGES = join(bundles, 'packages');
  process.env.TOLLBOOK_TEST_SCRIPTS = join(bundles, 'scripts');
  await Promise.all([
    bundlePackages(process.env.TOLLBOOK_TEST_PACKAGES),
    bundleScripts(process.env.TOLLBOOK_TEST_SCRIPTS),
  ]);
  process.env.TOLLBOOK_TEST_OWNER = String(process.pid);
  process.env.TOLLBOOK_SEED ??= String(Date.now() % SEEDS);
  console.error(`Random tests repeat with TOLLBOOK_SEED=${process.env.TOLLBOOK_SEED}`);
}
