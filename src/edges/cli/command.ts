import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A wish that cannot be met, in words for the person at the terminal. Commands end with exit code 2. */
export class UsageError extends Error {}

/** `--help`: the message is how the command is used. */
export class HelpWanted extends Error {}

/** Ends the process with the code that `main` gives. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof HelpWanted) return console.log(error.message);
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/**
 * The flags of a command line that takes nothing else but `--help`.
 *
 * @param usage what `--help` says, and what is shown beside what is wrong
 * @throws UsageError, HelpWanted
 */
export function parseFlags<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: O,
  usage: string,
) {
  if (args.includes('--help') || args.includes('-h')) throw new HelpWanted(usage);
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}
