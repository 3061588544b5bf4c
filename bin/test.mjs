#!/usr/bin/env node
/**
 * `npm test`: from a fresh clone to one line `N passed, N failed`. Lint and types count as one check each.
 * With CI=true a missing tool is a failure; elsewhere what needs it is left out and said so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { checkNode, installDependencies, PreparationFailed, prepare, ROOT } from './prepare.mjs';
import { runJest } from './run-jest.mjs';

const CI = process.env.CI === 'true';
/** The v1 clients bring wallet kits whose install scripts and optional parts they do not need to pay. */
const V1_INSTALL = ['--ignore-scripts', '--omit=optional'];

/** Shows what it printed when it has ended, since it runs beside others. */
async function check(name, script, args = []) {
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], { cwd: ROOT });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [status] = await once(child, 'close');
  console.log(`\n${output}${name}: ${status === 0 ? 'passed' : 'FAILED'}`);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function suites(args) {
  console.log('\nTests…');
  // One more than the two cores that it has to do with: much of what the suites do is waiting.
  const { passed, failed } = await runJest(['--maxWorkers=3', ...args]);
  return { passed, failed };
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
  console.log('\nLint and types…');
  const checks = [
    check('Lint', '@biomejs/biome/bin/biome', ['check', '.']),
    check('Types', 'typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']),
  ];
  installRedis();
  installDependencies(join(ROOT, 'test', 'clients-v1'), V1_INSTALL);
  return [...(await Promise.all(checks)), await suites(args)];
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
