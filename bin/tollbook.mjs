#!/usr/bin/env node
/** `tollbook <command>`: prepares the checkout if needed, then runs the command in this process. Built-ins only. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PreparationFailed, prepare, ROOT } from './prepare.mjs';

const COMMANDS = {
  start: 'start everything and serve',
  sell: 'put a price on your own API, and make a first test payment',
  agent: 'buy from the demo routes with the official client',
  verify: 'check the book: seals, ledger, projections, receipts, chain',
  rebuild: 'make all projections anew from the events, and compare',
  soak: 'run the long form of the tests that have one',
  bench: 'measure, beside the official middleware',
};

function usage() {
  const lines = Object.entries(COMMANDS).map(([name, purpose]) => `  ${name.padEnd(9)}${purpose}`);
  return `Usage: tollbook <command> [options]\n\n${lines.join('\n')}`;
}

/** The other commands check their own options. */
function mistakeIn(command, args) {
  if (command === undefined) return 'Which command?';
  if (!Object.hasOwn(COMMANDS, command)) return `There is no command "${command}".`;
  if (command === 'start' && args.length > 0) return 'start has no options; it is configured by variables (README.md).';
  return undefined;
}

/** In this process, so that signals reach the command and nothing else. */
async function runHere(file, args) {
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

/** Composition roots lie at the top of dist/. */
const FILES = {
  start: ['main.js'],
  sell: ['edges', 'cli', 'sell.js'],
  agent: ['edges', 'cli', 'agent.js'],
  verify: ['verify.js'],
  rebuild: ['rebuild.js'],
};

/** The bench is TypeScript beside the tests, and wants a Node of its own for its loader. */
function runBench(args) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'test', 'bench', 'main.ts'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

async function main([command, ...args]) {
  const asksStart = command === 'start' && args.includes('--help');
  if (command === 'help' || command === '--help' || asksStart) {
    console.log(usage());
    return;
  }
  const mistake = mistakeIn(command, args);
  if (mistake !== undefined) {
    console.error(`${mistake}\n${usage()}`);
    process.exitCode = 2;
    return;
  }
  await prepare();
  if (command === 'soak') await runHere(join(ROOT, 'bin', 'soak.mjs'), args);
  else if (command === 'bench') runBench(args);
  else await runHere(join(ROOT, 'dist', ...FILES[command]), args);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof PreparationFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
