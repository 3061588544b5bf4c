import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateJson, readJson, writePrivateJson } from './private-file.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollbook-file-'));
  file = join(folder, 'a.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a private file', () => {
  it('is for its owner only, also when it replaces one that was not', async () => {
    await writeFile(file, '{}', { mode: 0o644 });
    await writePrivateJson(file, { secret: 1 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readJson(file)).toEqual({ secret: 1 });
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('is made by exactly one of many', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, number) => createPrivateJson(file, { number })));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await readJson(file)).toEqual({ number: made.indexOf(true) });
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('that is missing is undefined; one that is damaged is an error that names it', async () => {
    expect(await readJson(file)).toBeUndefined();
    await writeFile(file, '{"half": ');
    await expect(readJson(file)).rejects.toThrow(file);
  });
});
