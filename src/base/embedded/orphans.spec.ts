import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopOrphans } from './orphans.js';

let folder: string;
let engine: ChildProcess;

/** Node under the name of an engine, with the path of its data as an argument. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollbook-orphan-'));
  await writeFile(join(folder, 'engine.cjs'), 'console.log("up"); setInterval(() => {}, 1000);');
  await symlink(process.execPath, join(folder, 'redis-server'));
  engine = spawn(join(folder, 'redis-server'), [join(folder, 'engine.cjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(engine.stdout!, 'data');
});
afterEach(async () => {
  engine.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

describe('engines left over by a killed Tollbook', () => {
  it('are stopped, by their own signal', async () => {
    const lines: string[] = [];
    const ended = once(engine, 'exit');
    const mark = { program: 'redis-server', path: join(folder, 'engine.cjs'), signal: 'SIGINT' as const };
    await stopOrphans([mark], (line) => lines.push(line));
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`redis-server (process ${engine.pid})`);
  });

  it.each([
    ['another program', 'postgres', 'engine.cjs'],
    ['other data', 'redis-server', 'other.cjs'],
    ['a path that only begins the same', 'redis-server', 'engine'],
  ])('are not taken for %s', async (_case, program, file) => {
    const ask = { program, path: join(folder, file), signal: 'SIGKILL' as const };
    await stopOrphans([ask], () => {
      throw new Error('found something');
    });
    expect(engine.signalCode).toBeNull();
    expect(engine.exitCode).toBeNull();
  });
});
