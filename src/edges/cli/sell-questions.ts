import { input } from '@inquirer/prompts';
import { UsageError } from './command.js';
import { originOf, pathOf, SELL_USAGE, type SellOptions } from './sell-options.js';

/** Nothing is left to ask. */
export type Sale = SellOptions & Required<Pick<SellOptions, 'upstream' | 'path' | 'price'>>;

/** Where a person answers. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks for what the flags did not say, on a terminal; elsewhere nobody can answer, and nothing waits.
 *
 * @throws UsageError that names the flags that are missing, or if the person breaks off
 */
export async function complete(options: SellOptions, terminal: Terminal | undefined): Promise<Sale> {
  const { path, price, upstream } = options;
  if (upstream !== undefined && path !== undefined && price !== undefined) return { ...options, upstream, path, price };
  if (!terminal) {
    const missing = Object.entries({ upstream, path, price }).filter(([, value]) => value === undefined);
    throw new UsageError(`Say ${missing.map(([name]) => `--${name}`).join(', ')}\n${SELL_USAGE}`);
  }
  const ask = questionsOn(terminal);
  try {
    return {
      ...options,
      upstream: upstream ?? originOf(await ask('Where does your API answer?', 'http://127.0.0.1:9000', originOf)),
      path: path ?? (await ask('Which path do you sell?', '/', pathOf)),
      price: price ?? (await ask('What does one request cost, in dollars?', '0.001', (text) => text)),
    };
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') throw new UsageError('Nothing was published.');
    throw error;
  }
}

/** A question is asked again until `check` takes the answer. */
function questionsOn(terminal: Terminal) {
  return async (message: string, example: string, check: (text: string) => string): Promise<string> => {
    const validate = (text: string): true | string => {
      try {
        check(text.trim());
        return true;
      } catch (error) {
        return (error as Error).message;
      }
    };
    return (await input({ message, default: example, validate }, terminal)).trim();
  };
}
