import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Job, Outcome } from './load.js';

const HERE = dirname(fileURLToPath(import.meta.url));
/** The kernel counts CPU time in ticks of 10 ms. */
const TICKS_PER_SECOND = 100;

/** A server or the load generator, run from TypeScript in a process of its own. */
export class BenchProcess {
  private constructor(private readonly child: ChildProcess) {}

  static start(file: string, ...args: string[]): BenchProcess {
    const cwd = join(HERE, '..', '..');
    return new BenchProcess(fork(join(HERE, file), args, { execArgv: ['--import', 'tsx'], cwd }));
  }

  /** Starts a server and waits for its address. */
  static async serve(file: string, ...args: string[]): Promise<{ process: BenchProcess; url: string }> {
    const process = BenchProcess.start(file, ...args);
    const { url } = await process.receive<{ url: string }>();
    return { process, url };
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The next message. Rejects if the process ends instead. */
  receive<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`${this.child.spawnargs.at(-1)} ended with ${code}`));
      this.child.once('exit', onExit);
      this.child.once('message', (message) => {
        this.child.off('exit', onExit);
        resolve(message as T);
      });
    });
  }

  send(message: Job | 'run'): void {
    this.child.send(message);
  }

  stop(): void {
    this.child.kill();
  }
}

/** CPU seconds used so far by process groups that matter for one server, by name. */
export type CpuProbe = () => Readonly<Record<string, number>>;

export interface Measured extends Outcome {
  /** CPU microseconds per request, by the names of the probe. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** Lets the generator prepare, then measures rate and CPU over the timed part alone. */
export async function measure(
  generator: BenchProcess,
  job: Job,
  probe: CpuProbe,
  whenReady?: () => Promise<void>,
): Promise<Measured> {
  const ready = generator.receive<'ready'>();
  generator.send(job);
  await ready;
  await whenReady?.();
  const before = probe();
  const done = generator.receive<Outcome>();
  generator.send('run');
  const outcome = await done;
  const after = probe();
  const cpu = Object.entries(after).map(([name, seconds]) => {
    return [name, ((seconds - (before[name] ?? 0)) * 1e6) / outcome.requests] as const;
  });
  return { ...outcome, cpu: Object.fromEntries(cpu) };
}

/** User and system time of one process and of its children that have ended, in seconds. */
export function cpuSeconds(pid: number): number {
  const ticks = statOf(pid).slice(11, 15).map(Number);
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

/** Process ids of a process and everything it started, by program name. */
export function processTree(root: number): Map<string, number[]> {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => parentOf(Number(name))),
  );
  const belongs = (pid: number): boolean => pid === root || (parents.has(pid) && belongs(parents.get(pid)!));
  const tree = new Map<string, number[]>();
  for (const pid of [...parents.keys()].filter(belongs)) {
    const name = pid === root ? 'root' : readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    tree.set(name, [...(tree.get(name) ?? []), pid]);
  }
  return tree;
}

/** Empty if the process ended meanwhile. */
function parentOf(pid: number): [number, number][] {
  try {
    return [[pid, Number(statOf(pid)[1])]];
  } catch {
    return [];
  }
}

/** Fields of /proc/<pid>/stat after the program's name, which may hold blanks: [0] is the state. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
