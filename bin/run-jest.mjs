/** Runs Jest in a process of its own and counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const JEST = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');

/**
 * @param {string[]} args what Jest is to run
 * @param {{ env?: Record<string, string>, quiet?: boolean }} options `quiet` keeps the report, to be shown if it is of interest
 * @returns {Promise<{ passed: number, failed: number, report: string }>} a run that could not even begin counts as one failure
 */
export async function runJest(args, { env = {}, quiet = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tollbook-results-'));
  const results = join(folder, 'results.json');
  const options = ['--json', `--outputFile=${results}`, ...args];
  try {
    const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', JEST, ...options], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      // The JSON goes to its file; on standard output it would bury the report.
      stdio: ['ignore', 'ignore', quiet ? 'pipe' : 'inherit'],
    });
    let report = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      report += text;
    });
    const [status] = await once(child, 'close');
    return { ...countsIn(results, status), report };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A suite that could not even be loaded has no tests to count, so it counts itself. */
function countsIn(results, status) {
  try {
    const counted = JSON.parse(readFileSync(results, 'utf8'));
    const failed = counted.numFailedTests + counted.numRuntimeErrorTestSuites;
    return { passed: counted.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
