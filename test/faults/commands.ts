import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist');
const OUTPUT_MAX = 10_000_000;

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** Runs `rebuild` or `verify` on the book of a data folder, as npm does, and waits for its end. */
export async function runCommand(
  name: 'rebuild' | 'verify',
  dataDir: string,
  args: readonly string[] = [],
): Promise<CommandResult> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TOLLBOOK_DATA_DIR: dataDir };
  try {
    const command = [join(DIST, `${name}.js`), ...args];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env, maxBuffer: OUTPUT_MAX });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stderr, stdout } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { code, output: stdout + stderr };
  }
}
