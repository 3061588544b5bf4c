#!/usr/bin/env node
/**
 * `npm test`: from a fresh clone to one line `N passed, N failed`. Lint and types count as one check each.
 * With CI=true a missing tool is a failure; elsewhere what needs it is left out and said so.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkNode, installDependencies, PreparationFailed, prepare, ROOT } from './prepare.mjs';

const CI = process.env.CI === 'true';
/** The v1 clients bring wallet kits whose install scripts and optional parts they do not need to pay. */
const V1_INSTALL = ['--ignore-scripts', '--omit=optional'];

function check(name, script, args = []) {
  console.log(`\n${name}…`);
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  console.log(`${name}: ${status === 0 ? 'passed' : 'FAILED'}`);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function suites(args) {
  console.log('\nTests…');
  const folder = mkdtempSync(join(tmpdir(), 'tollbook-results-'));
  const results = join(folder, 'results.json');
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const options = ['--maxWorkers=2', '--json', `--outputFile=${results}`, ...args];
  const { status } = spawnSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...options], {
    cwd: ROOT,
    // The JSON goes to its file; on standard output it would bury the report.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    return countsOf(JSON.parse(readFileSync(results, 'utf8')), status);
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A suite that could not even be loaded has no tests to count, so it counts itself. */
function countsOf(report, status) {
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return { passed: report.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
}

function installRedis() {
  if (spawnSync('redis-server', ['--version']).status === 0) return;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return missing('redis-server');
  console.log('Installing redis-server…');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' });
  const { status } = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) missing('redis-server');
}

function missing(tool) {
  if (CI) throw new PreparationFailed(`${tool} is missing`);
  console.log(`${tool} is missing: the suites that need it will fail`);
}

async function main(args) {
  checkNode();
  await prepare();
  installDependencies(join(ROOT, 'test', 'clients-v1'), V1_INSTALL);
  installRedis();
  return [
    check('Lint', '@biomejs/biome/bin/biome', ['check', '.']),
    check('Types', 'typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']),
    suites(args),
  ];
}

let counts;
try {
  counts = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof PreparationFailed)) throw error;
  console.error(error.message);
  counts = [{ passed: 0, failed: 1 }];
}
const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
