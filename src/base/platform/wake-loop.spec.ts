import { eventually } from '../../../test/support/eventually.js';
import type { Logger } from './logger.js';
import { WakeLoop } from './wake-loop.js';

type Line = readonly [level: string, message: string, err: string | undefined];

/** Runs each outcome once, in order; the last one for ever. Resolves to what was logged above debug. */
async function linesOf(outcomes: readonly (string | undefined)[]): Promise<Line[]> {
  const lines: Line[] = [];
  const at = (level: string) => (fields: { err?: string }, message: string) => lines.push([level, message, fields.err]);
  const log = { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') } as unknown as Logger;
  let runs = 0;
  const work = async () => {
    const outcome = outcomes[Math.min(runs++, outcomes.length - 1)];
    if (outcome !== undefined) throw new Error(outcome);
    return false;
  };
  const loop = new WakeLoop('spec', work, 1, log);
  loop.start();
  await eventually(() => runs > outcomes.length + 2);
  await loop.stop();
  return lines;
}

const FAILED = 'background work failed; trying again';
const GOES_ON = 'background work goes on';

describe('a loop whose work fails', () => {
  it('tries again, and says so once', async () => {
    expect(await linesOf(['away', 'away', 'away'])).toEqual([['error', FAILED, 'away']]);
  });

  it('says when it works again, and when it fails anew', async () => {
    expect(await linesOf(['away', 'away', undefined, undefined, 'away', 'away', undefined])).toEqual([
      ['error', FAILED, 'away'],
      ['info', GOES_ON, undefined],
      ['error', FAILED, 'away'],
      ['info', GOES_ON, undefined],
    ]);
  });

  it('says when it fails for another reason', async () => {
    expect(await linesOf(['away', 'broken', undefined])).toEqual([
      ['error', FAILED, 'away'],
      ['error', FAILED, 'broken'],
      ['info', GOES_ON, undefined],
    ]);
  });

  it('says nothing as long as all is well', async () => {
    expect(await linesOf([undefined])).toEqual([]);
  });
});
