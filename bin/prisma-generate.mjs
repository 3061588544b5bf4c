#!/usr/bin/env node
/** `prisma generate` without its download: making the client needs no schema engine, the tool only wants to see one. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [join(ROOT, 'node_modules/prisma/build/index.js'), 'generate'],
  {
    cwd: ROOT,
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  },
);
// Its chatter is only of interest when something went wrong.
if (status !== 0) process.stderr.write(Buffer.concat([stdout, stderr]));
process.exitCode = status ?? 1;
