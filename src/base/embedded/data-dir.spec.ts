import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirInUse, lockDataDir } from './data-dir.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollbook-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

describe('the lock on a data folder', () => {
  it('keeps a second Tollbook out, and says who has it', async () => {
    const unlock = await lockDataDir(folder);
    await expect(lockDataDir(folder)).rejects.toThrow(DataDirInUse);
    await expect(lockDataDir(folder)).rejects.toThrow(`process ${process.pid}`);
    await unlock();
    await (await lockDataDir(folder))();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is taken over from a process that is gone', async () => {
    await writeFile(join(folder, 'lock.json'), JSON.stringify({ pid: await deadProcess(), startedAt: 'once' }));
    await lockDataDir(folder);
    expect(JSON.parse(await readFile(join(folder, 'lock.json'), 'utf8')).pid).toBe(process.pid);
  });

  it('is taken over when another process has got the number since', async () => {
    await writeFile(join(folder, 'lock.json'), JSON.stringify({ pid: process.pid, startedAt: 'before' }));
    await lockDataDir(folder);
  });

  it('goes to exactly one of many that find a dead one', async () => {
    await writeFile(join(folder, 'lock.json'), JSON.stringify({ pid: await deadProcess(), startedAt: 'once' }));
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(folder)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('survives a takeover that was killed in the middle', async () => {
    await writeFile(join(folder, 'lock.json'), JSON.stringify({ pid: await deadProcess(), startedAt: 'once' }));
    await writeFile(join(folder, 'lock.json.takeover'), JSON.stringify({ at: Date.now() - 60_000 }));
    await lockDataDir(folder);
  });
});
