/** Packages of hundreds of files, which each suite loads anew: bundled once for a run, and found there by resolver.cjs. */
import { bundle } from '../../bin/bundling.mjs';

/** All ways into them that anybody takes, so that no suite has two copies of one class. */
export const PACKAGES = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/cqrs',
  '@nestjs/platform-fastify',
  'rxjs',
  'viem',
  'viem/accounts',
  'viem/chains',
  'viem/siwe',
  'viem/utils',
  'zod',
];

/** Each becomes `<folder>/<name>.mjs`. */
export async function bundlePackages(folder) {
  await bundle({
    entryPoints: PACKAGES.map((name) => ({ in: name, out: name })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
  });
}
