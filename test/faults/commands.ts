import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist');
const OUTPUT_MAX = 10_000_000;

export interface CommandResult {
  readonly code: number;
  /** Standard output, or what went wrong if there is none. */
  readonly output: string;
}

/** Runs `rebuild` or `verify` on the book of a data folder, as npm does, and waits for its end. */
export async function runCommand(
  name: 'rebuild' | 'verify',
  dataDir: string,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TOLLBOOK_DATA_DIR: dataDir, ...more };
  try {
    const command = [join(DIST, `${name}.js`), ...args];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env, maxBuffer: OUTPUT_MAX });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stderr, stdout } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { code, output: stdout || stderr };
  }
}

interface Report {
  readonly checks: readonly {
    readonly name: string;
    readonly passed: boolean;
    readonly differences: readonly { readonly where: string }[];
    readonly notes: readonly { readonly where: string }[];
  }[];
}

export interface Verified {
  readonly code: number;
  /** Names of the checks that did not pass. */
  readonly failed: readonly string[];
  /** What the report says, should it surprise. */
  readonly output: string;
  differences(check: string): string[];
  notes(check: string): string[];
}

/** Runs `verify` on the book of a data folder, or on the one that the variables name. */
export async function verify(
  dataDir: string,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<Verified> {
  const { code, output } = await runCommand('verify', dataDir, ['--json', ...args], more);
  const { checks } = JSON.parse(output) as Report;
  const of = (name: string) => checks.find((check) => check.name === name)!;
  return {
    code,
    output,
    failed: checks.filter(({ passed }) => !passed).map(({ name }) => name),
    differences: (name) => of(name).differences.map(({ where }) => where),
    notes: (name) => of(name).notes.map(({ where }) => where),
  };
}
