import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Engines start when the first spec asks for them (engines.ts); this folder is where the specs of one run meet. */
export default function globalSetup() {
  process.env.TOLLBOOK_TEST_RUN = mkdtempSync(join(tmpdir(), 'tollbook-test-'));
  process.env.TOLLBOOK_TEST_OWNER = String(process.pid);
}
