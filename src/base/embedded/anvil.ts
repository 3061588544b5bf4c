import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createConnection } from 'node:net';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepStateCopies, restoreStateFile } from './anvil-state.js';
import { stopOrphan } from './orphan.js';
import { engineEnvironment } from './process.js';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 15_000;

export interface EmbeddedLog {
  info(message: string): void;
  warn(message: string): void;
}

export interface AnvilOptions {
  /** Blocks, logs and balances live here over restarts. Beside it: `.pid`, `.log` and `.good`, a copy known to be whole. */
  readonly stateFile: string;
  readonly port: number;
  readonly chainId: number;
  readonly log: EmbeddedLog;
  /** Seconds between blocks; without it each transaction is mined at once. */
  readonly blockTimeSeconds?: number;
}

export interface Anvil {
  readonly rpcUrl: string;
  /** Resolves when the state is on the disk and the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a local EVM chain on the loopback address; resolves when it answers.
 * It runs in its own process group, so that Ctrl-C does not take it away before its users have drained.
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const stateFile = resolve(options.stateFile);
  const pidFile = `${stateFile}.pid`;
  await mkdir(dirname(stateFile), { recursive: true });
  await stopOrphan(pidFile, [stateFile], options.log);
  await restoreStateFile(stateFile, options.log);
  if (await portTaken(options.port)) throw new Error(`port ${options.port} is in use, so the chain cannot start there`);

  const child = spawnAnvil(stateFile, options);
  if (child.pid !== undefined) await writeFile(pidFile, String(child.pid), { mode: 0o600 });
  const rpcUrl = `http://${HOST}:${options.port}`;
  try {
    await answering(child, rpcUrl, options.chainId);
  } catch (error) {
    await terminate(child);
    const output = await readFile(`${stateFile}.log`, 'utf8').catch(() => '');
    throw new Error(`the chain did not start: ${output.trim().slice(-500)}`, { cause: error });
  }
  const copies = keepStateCopies(stateFile, options.log);
  const stop = async () => {
    copies.stop();
    await terminate(child);
    await rm(pidFile, { force: true });
  };
  return { rpcUrl, stop };
}

function spawnAnvil(stateFile: string, { port, chainId, blockTimeSeconds }: AnvilOptions): ChildProcess {
  const args = ['--host', HOST, '--port', String(port), '--chain-id', String(chainId), '--quiet'];
  args.push('--state', stateFile, '--state-interval', '1');
  if (blockTimeSeconds !== undefined) args.push('--block-time', String(blockTimeSeconds));
  const log = openSync(`${stateFile}.log`, 'w', 0o600);
  // A pipe would break when this process dies; the chain must survive that long enough to write its state.
  const child = spawn(binary(), args, { detached: true, stdio: ['ignore', log, log], env: engineEnvironment() });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  return child;
}

/** Straight from the platform's package: the wrapper package needs its install script, which may be disabled. */
function binary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const extension = process.platform === 'win32' ? '.exe' : '';
  const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json');
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}/bin/anvil${extension}`;
  return createRequire(wrapper).resolve(name);
}

async function answering(child: ChildProcess, rpcUrl: string, chainId: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.pid === undefined || hasExited(child)) throw new Error(`the chain's process ended (${child.exitCode})`);
    const actual = await chainIdAt(rpcUrl);
    if (actual === chainId) return;
    if (actual !== undefined) throw new Error(`${rpcUrl} serves chain ${actual}`);
    await sleep(25);
  }
  throw new Error(`no answer within ${START_TIMEOUT_MS} ms`);
}

async function chainIdAt(rpcUrl: string): Promise<number | undefined> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
  const headers = { 'content-type': 'application/json' };
  try {
    const response = await fetch(rpcUrl, { method: 'POST', headers, body, signal: AbortSignal.timeout(1_000) });
    const answer = (await response.json()) as { result: string };
    return Number(answer.result);
  } catch {
    return undefined;
  }
}

/** SIGTERM makes the chain write its state before it ends. */
async function terminate(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasExited(child)) return;
  const exited = once(child, 'exit');
  child.ref();
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(force);
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function portTaken(port: number): Promise<boolean> {
  const socket = createConnection({ host: HOST, port });
  const answered = new Promise<boolean>((settle) => {
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
  return answered.finally(() => socket.destroy());
}
