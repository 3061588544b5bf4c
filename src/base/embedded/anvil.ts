import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { keepStateCopies, restoreStateFile } from './anvil-state.js';
import { stopOrphans } from './orphans.js';
import { isFree } from './ports.js';
import { runEngine } from './process.js';

const HOST = '127.0.0.1';

export interface AnvilOptions {
  /** Blocks, logs and balances live here over restarts. Beside it: `.log`, and `.good`, a copy known to be whole. */
  readonly stateFile: string;
  readonly port: number;
  readonly chainId: number;
  /** One line for people. */
  log(line: string): void;
  /** What a chain that may be empty needs before it is used; after each start, a restart after it died included. */
  readonly setUp?: (rpcUrl: string) => Promise<void>;
}

export interface Anvil {
  readonly rpcUrl: string;
  /** Resolves when the state is on the disk and the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a local EVM chain on the loopback address; resolves when it answers, and starts it again if it dies.
 * A chain that an earlier, killed run left behind on the same state is stopped first. Throws if the port is in use.
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const { port, chainId, log } = options;
  const stateFile = resolve(options.stateFile);
  await mkdir(dirname(stateFile), { recursive: true });
  await stopOrphans([{ program: 'anvil', path: stateFile, signal: 'SIGTERM' }], log);
  if (!(await isFree(port))) throw new Error(`port ${port} is in use, so the chain cannot start there`);

  const rpcUrl = `http://${HOST}:${port}`;
  const command = {
    name: 'The chain',
    file: binary(),
    args: argumentsOf(stateFile, options),
    cwd: dirname(stateFile),
    logFile: `${stateFile}.log`,
    // Makes it write its state before it ends.
    stopSignal: 'SIGTERM' as const,
    prepare: () => restoreStateFile(stateFile, log),
    ready: async () => {
      await servesChain(rpcUrl, chainId);
      await options.setUp?.(rpcUrl);
    },
  };
  const engine = await runEngine(command, log);
  const copies = keepStateCopies(stateFile, log);
  const stop = () => {
    copies.stop();
    return engine.stop();
  };
  return { rpcUrl, stop };
}

function argumentsOf(stateFile: string, { port, chainId }: AnvilOptions): string[] {
  const args = ['--host', HOST, '--port', String(port), '--chain-id', String(chainId), '--quiet'];
  return [...args, '--state', stateFile, '--state-interval', '5'];
}

/** Straight from the platform's package: the wrapper package needs its install script, which may be disabled. */
function binary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const extension = process.platform === 'win32' ? '.exe' : '';
  const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json');
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}/bin/anvil${extension}`;
  return createRequire(wrapper).resolve(name);
}

async function servesChain(rpcUrl: string, chainId: number): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(rpcUrl, { method: 'POST', headers, body, signal: AbortSignal.timeout(1_000) });
  const { result } = (await response.json()) as { result: string };
  if (Number(result) !== chainId) throw new Error(`${rpcUrl} serves chain ${Number(result)}`);
}
