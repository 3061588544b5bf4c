import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleScripts } from './process-scripts.mjs';

const SEEDS = 2 ** 31;

/** Engines start when the first spec asks for them (engines.ts); this folder is where the specs of one run meet. */
export default async function globalSetup() {
  process.env.TOLLBOOK_TEST_RUN = mkdtempSync(join(tmpdir(), 'tollbook-test-'));
  process.env.TOLLBOOK_TEST_SCRIPTS = await bundleScripts();
  process.env.TOLLBOOK_TEST_OWNER = String(process.pid);
  process.env.TOLLBOOK_SEED ??= String(Date.now() % SEEDS);
  console.error(`Random tests repeat with TOLLBOOK_SEED=${process.env.TOLLBOOK_SEED}`);
}
