/** Brings a checkout to the point where Tollbook can run: dependencies, Prisma client, build. Node built-ins only. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_LEAST = [20, 19];
const BUILT = join(ROOT, 'dist', '.built');
const CLIENT = join(ROOT, 'src', 'generated', 'prisma', 'client.ts');
const SCHEMA = join(ROOT, 'prisma', 'schema.prisma');
const BUILD_INPUTS = [
  'src',
  'prisma',
  'bin/bundle.mjs',
  'bin/bundling.mjs',
  'nest-cli.json',
  '.swcrc',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** A step that failed; its output has been shown. */
export class PreparationFailed extends Error {}

/** Everything `dist/` needs. Two processes may call it at once: one works, the other waits. */
export async function prepare() {
  checkNode();
  await withLock(async () => {
    installDependencies(ROOT);
    generateClient();
    build();
  });
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_LEAST[0] || (major === NODE_LEAST[0] && minor >= NODE_LEAST[1])) return;
  throw new PreparationFailed(`Tollbook needs Node ${NODE_LEAST.join('.')} or newer; this is ${process.versions.node}`);
}

/** `npm ci` unless the folder already holds what its lockfile says. */
export function installDependencies(folder, options = []) {
  if (isInstalled(folder)) return;
  console.log('Installing dependencies; on a first start this takes a minute or more…');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...options], folder);
}

/** npm notes what it installed in a lockfile of its own; packages for other platforms are not in it. */
function isInstalled(folder) {
  const noted = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(noted)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(readFileSync(noted, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional, peer }]) =>
      path === '' || optional || devOptional || peer || found[path]?.version === version,
  );
}

export function generateClient() {
  if (existsSync(CLIENT) && modified(CLIENT) >= modified(SCHEMA)) return;
  console.log('Generating the database client…');
  run(process.execPath, [join(ROOT, 'bin', 'prisma-generate.mjs')]);
}

export function build() {
  if (existsSync(BUILT) && modified(BUILT) >= Math.max(...BUILD_INPUTS.map((path) => newest(join(ROOT, path))))) return;
  console.log('Building…');
  const startedAt = new Date();
  run(process.execPath, [join(ROOT, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build']);
  run(process.execPath, [join(ROOT, 'bin', 'bundle.mjs')]);
  writeFileSync(BUILT, '');
  // A source saved while the compiler ran is newer than the build, so that the next start builds again.
  utimesSync(BUILT, startedAt, startedAt);
}

/** Runs a command with its output shown. Throws `PreparationFailed`. */
export function run(command, args, cwd = ROOT, env = process.env) {
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: 'inherit' });
  if (error?.code === 'ENOENT') throw new PreparationFailed(`${command} is not installed`);
  if (status !== 0) throw new PreparationFailed(`${[command, ...args].join(' ')} failed`);
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function newest(path) {
  if (!statSync(path).isDirectory()) return modified(path);
  return Math.max(modified(path), ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** The lock names its owner, so that a killed owner does not block for ever. */
async function withLock(work) {
  const file = join(ROOT, '.prepare.lock');
  while (!takeLock(file)) await delay(200);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function takeLock(file) {
  try {
    const handle = openSync(file, 'wx');
    writeFileSync(handle, `${process.pid}`);
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isAbandoned(file)) rmSync(file, { force: true });
    return false;
  }
}

function isAbandoned(file) {
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    if (owner > 0) process.kill(owner, 0);
    return owner === 0 && Date.now() - modified(file) > 5_000;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
