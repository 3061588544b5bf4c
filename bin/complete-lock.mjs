#!/usr/bin/env node
/**
 * Adds the optional platform packages that a lockfile misses: `npm run lock`, after every `npm install <package>`.
 *
 * npm leaves out platforms whose packages its registry did not answer for, and `npm ci` then refuses the lockfile
 * wherever the registry does answer. The entries say what the names say: version, os and cpu.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SYSTEMS = { windows: 'win32' };
const PROCESSORS = {
  amd64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  s390x: 's390x',
};
const KNOWN_SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32', 'windows'];

/** `@scope/tool-linux-arm64-musl` is `{ os: ['linux'], cpu: ['arm64'], libc: ['musl'] }`; undefined if the name names no platform. */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const at = words.findIndex((word) => KNOWN_SYSTEMS.includes(word));
  if (at < 0) return undefined;
  const cpu = PROCESSORS[words[at + 1]] ?? words[at + 1];
  const libc = libcOf(words.slice(at + 2));
  return { cpu: [cpu], ...(libc ? { libc: [libc] } : {}), os: [SYSTEMS[words[at]] ?? words[at]] };
}

function libcOf(words) {
  if (words.some((word) => word === 'musl' || word === 'musleabihf')) return 'musl';
  return words.includes('gnu') ? 'glibc' : undefined;
}

/** The optional packages that no entry of the lockfile provides: `[name, version, lockfile path]`. */
export function missingPlatforms(lock) {
  const missing = new Map();
  for (const [at, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const nested = `${at}/node_modules/${name}`;
      const hoisted = `node_modules/${name}`;
      if (lock.packages[nested] || lock.packages[hoisted]?.version === version) continue;
      if (!platformOf(name) || !/^\d/.test(version)) continue;
      const path = lock.packages[hoisted] || missing.has(hoisted) ? nested : hoisted;
      if (missing.get(hoisted)?.version !== version) missing.set(path, { name, version, path });
    }
  }
  return [...missing.values()];
}

function complete(file) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingPlatforms(lock);
  for (const { name, version, path } of missing) {
    lock.packages[path] = { version, optional: true, ...platformOf(name) };
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${file}: ${missing.length} platform packages added`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const folder of ['.', 'test/clients-v1']) complete(join(ROOT, folder, 'package-lock.json'));
}
