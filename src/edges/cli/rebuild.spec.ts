import { UsageError } from './command.js';
import { parseRebuildOptions } from './rebuild-options.js';
import type { RebuildOutcome } from './rebuild-projection.js';
import { isInOrder, outcomesAsJson, renderOutcome } from './rebuild-report.js';

const KNOWN = ['payments', 'usage'];

const rebuilt = (equal: boolean): RebuildOutcome => ({
  name: 'payments',
  version: 2,
  events: 12_000n,
  seconds: 2,
  swapped: true,
  comparison: {
    projection: 'payments',
    position: 12_000n,
    equal,
    tables: [
      {
        table: 'payments',
        liveRows: 3_000,
        rebuiltRows: 3_000,
        equal,
        differences: equal
          ? []
          : [
              { side: '-', row: '{"id":"pay_1","amount":2}' },
              { side: '+', row: '{"id":"pay_1","amount":1}' },
            ],
      },
    ],
  },
});

describe('the options of rebuild', () => {
  it('name projections, a dry run and JSON', () => {
    expect(parseRebuildOptions([], KNOWN)).toEqual({ only: [], dryRun: false, json: false });
    expect(parseRebuildOptions(['--only', 'usage,payments', '--dry-run', '--json'], KNOWN)).toEqual({
      only: ['usage', 'payments'],
      dryRun: true,
      json: true,
    });
  });

  it.each([[['--only', 'usages']], [['--only', '']], [['--fast']], [['payments']]])('refuse %j', (args) => {
    expect(() => parseRebuildOptions(args, KNOWN)).toThrow(UsageError);
  });
});

describe('the report of rebuild', () => {
  it('says what was done, and what is equal', () => {
    expect(renderOutcome(rebuilt(true))).toBe(
      'payments: 12,000 events in 2.0 s (6,000/s); at position 12,000 equal to the live rows (payments 3,000); swapped in',
    );
    expect(isInOrder(rebuilt(true))).toBe(true);
  });

  it('shows the rows that differ as minus and plus', () => {
    const lines = renderOutcome(rebuilt(false)).split('\n');
    expect(lines[0]).toContain('NOT equal');
    expect(lines.slice(2)).toEqual(['  - {"id":"pay_1","amount":2}', '  + {"id":"pay_1","amount":1}']);
    expect(isInOrder(rebuilt(false))).toBe(false);
  });

  it('is JSON for programs', () => {
    const failed: RebuildOutcome = { name: 'usage', error: 'no' };
    expect(isInOrder(failed)).toBe(false);
    expect(JSON.parse(outcomesAsJson([rebuilt(true), failed]))).toMatchObject({
      equal: false,
      projections: [{ name: 'payments', events: '12000' }, failed],
    });
  });
});
