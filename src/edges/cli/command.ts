import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A wish that cannot be met, in words for the person at the terminal. Commands end with exit code 2. */
export class UsageError extends Error {}

/** Ends the process with the code that `main` gives. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/**
 * The flags of a command line that takes nothing else.
 *
 * @param usage one line that is shown beside what is wrong
 * @throws UsageError
 */
export function parseFlags<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: O,
  usage: string,
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}
