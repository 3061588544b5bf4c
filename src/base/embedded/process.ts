import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Unprivileged account to run as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface EngineCommand {
  /** For people: `Postgres`, `Redis`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly account?: Account;
  /** Output is appended here; its end is quoted when the engine does not start. */
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** Brings the data into a state that the engine takes; before each start, a restart after it died included. */
  prepare?(): Promise<void>;
  /** Resolves when the engine answers, throws while it does not. */
  ready(): Promise<void>;
}

export interface RunningEngine {
  /** Idempotent. After `STOP_TIMEOUT_MS` the engine is killed. */
  stop(): Promise<void>;
}

/** Long enough for crash recovery of a large log. */
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;
/** A killed Postgres leaves children that hold its memory for a moment; starting too early fails. */
const START_ATTEMPTS = 5;
const RESTART_PAUSE_MS = 250;

/**
 * Starts an engine in its own process group, so that Ctrl-C reaches only Tollbook, which stops things in order.
 * Resolves when it answers. If it dies later, it is started again until `stop` is called.
 */
export async function runEngine(command: EngineCommand, log: (line: string) => void): Promise<RunningEngine> {
  let stopped = false;
  let child = await startWithRetries(command);

  const supervise = async () => {
    for (;;) {
      await exited(child);
      if (stopped) return;
      log(`${command.name} stopped unexpectedly; starting it again`);
      await pause(RESTART_PAUSE_MS);
      if (stopped) return;
      try {
        child = await startWithRetries(command);
      } catch (error) {
        log((error as Error).message);
      }
      // The stop may have come while the new child was starting.
      if (stopped) return terminate(child, command.stopSignal);
    }
  };

  const supervised = supervise();
  return {
    async stop() {
      stopped = true;
      await terminate(child, command.stopSignal);
      await supervised;
    },
  };
}

async function startWithRetries(command: EngineCommand): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(command);
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
      await pause(RESTART_PAUSE_MS * attempt);
    }
  }
}

async function start(command: EngineCommand): Promise<ChildProcess> {
  await command.prepare?.();
  const output = openSync(command.logFile, 'a', 0o600);
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    detached: true,
    stdio: ['ignore', output, output],
    env: engineEnvironment(),
    ...command.account,
  });
  closeSync(output);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('it stopped at once')));
  });
  try {
    await Promise.race([untilReady(command, child), failed]);
    return child;
  } catch (error) {
    await terminate(child, 'SIGKILL');
    const said = (await tail(command.logFile)).trim();
    throw new Error(`${command.name} did not start: ${(error as Error).message}\n${said}`);
  }
}

async function untilReady(command: EngineCommand, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      return await command.ready();
    } catch (error) {
      if (isOver(child)) throw error;
      if (Date.now() > deadline) throw new Error(`no answer within ${READY_TIMEOUT_MS / 1000} s`, { cause: error });
      await pause(POLL_MS);
    }
  }
}

/** Nothing of ours but the path: settings come from us, and secrets in our environment are not the engine's business. */
export function engineEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: '/', LC_ALL: 'C', TZ: 'UTC' };
}

async function terminate(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (isOver(child)) return;
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited(child);
  clearTimeout(timer);
}

function isOver(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function exited(child: ChildProcess): Promise<void> {
  return isOver(child) ? Promise.resolve() : new Promise((resolve) => child.once('exit', () => resolve()));
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').slice(-12).join('\n');
}
