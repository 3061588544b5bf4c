import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import { type EngineCommand, runEngine } from './process.js';

/** Stands in for an engine: leaves its process id in a file, says that it ended when asked to. */
const PROGRAM = `
const { writeFileSync } = require('node:fs');
process.on('SIGTERM', () => { writeFileSync('ended', ''); process.exit(); });
setInterval(() => {}, 1000);
writeFileSync('pid', String(process.pid));
`;

let folder: string;
const lines: string[] = [];
const log = (line: string) => lines.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollbook-process-'));
  lines.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function command(program: string): Promise<EngineCommand> {
  const file = join(folder, 'engine.cjs');
  await writeFile(file, program);
  return {
    name: 'Engine',
    file: process.execPath,
    args: [file],
    cwd: folder,
    logFile: join(folder, 'log'),
    stopSignal: 'SIGTERM',
    ready: async () => void (await pid()),
  };
}

async function pid(): Promise<number> {
  const number = Number(await readFile(join(folder, 'pid'), 'utf8'));
  // The file may be there before its content is, and process 0 would be ourselves.
  if (number === 0) throw new Error('not yet');
  process.kill(number, 0);
  return number;
}

async function isGone(number: number): Promise<boolean> {
  try {
    process.kill(number, 0);
    return false;
  } catch {
    return true;
  }
}

describe('an engine', () => {
  it('is stopped by its own signal, once', async () => {
    const engine = await runEngine(await command(PROGRAM), log);
    const running = await pid();
    await Promise.all([engine.stop(), engine.stop()]);
    expect(await isGone(running)).toBe(true);
    await expect(readFile(join(folder, 'ended'))).resolves.toBeDefined();
    expect(lines).toEqual([]);
  });

  it('is started again when it dies', async () => {
    const engine = await runEngine(await command(PROGRAM), log);
    const first = await pid();
    process.kill(first, 'SIGKILL');
    const second = await eventually(async () => ((await pid()) === first ? undefined : pid()));
    expect(lines).toEqual(['Engine stopped unexpectedly; starting it again']);
    await engine.stop();
    await eventually(() => isGone(second));
  });

  it('that does not start says why', async () => {
    const broken = await command('console.error("no such option"); process.exit(1);');
    await expect(runEngine(broken, log)).rejects.toThrow(/Engine did not start[\s\S]*no such option/);
  });
});
