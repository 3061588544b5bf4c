import type { Difference, Note } from '../../domains/reports/checks/check.js';
import { type Checked, passed } from './run-checks.js';

const NAME_WIDTH = 12;

/** The line of one check, and below it what it found. */
export function checkLines(checked: Checked): readonly string[] {
  const { milliseconds, name, result } = checked;
  const { differences, gaps, moreDifferences, moreNotes, notes } = result;
  const count = differences.length + moreDifferences;
  const parts = [
    countsOf(result.counts),
    plural(count, 'difference'),
    ...noted(notes.length + moreNotes),
    seconds(milliseconds),
  ];
  return [
    `${passed(checked) ? '✓' : '✗'} ${name.padEnd(NAME_WIDTH)}${parts.filter((part) => part !== '').join('   ')}`,
    ...gaps.map((gap) => `    not compared: ${gap}`),
    ...differences.map(differenceLine),
    ...more(moreDifferences, 'difference'),
    ...notes.map(noteLine),
    ...more(moreNotes, 'note'),
  ];
}

/** The last line: may the books be trusted? */
export function verdictOf(all: readonly Checked[]): string {
  const failed = all.filter((one) => !passed(one)).map(({ name }) => name);
  if (failed.length === 0) return `The books are in order: ${plural(all.length, 'check')} passed.`;
  return `The books are NOT proven: ${failed.join(', ')} of ${plural(all.length, 'check')} failed.`;
}

/** The same for programs. Amounts and positions are strings. */
export function jsonReport(all: readonly Checked[]): string {
  const checks = all.map((checked) => {
    const { milliseconds, name, result } = checked;
    return { name, passed: passed(checked), ...result, milliseconds: Math.round(milliseconds) };
  });
  return JSON.stringify({ passed: all.every(passed), checks }, null, 2);
}

function countsOf(counts: Checked['result']['counts']): string {
  return Object.entries(counts)
    .filter(([, count], place) => place === 0 || count > 0)
    .map(([what, count]) => `${number(count)} ${what}`)
    .join(', ');
}

function noted(count: number): string[] {
  return count === 0 ? [] : [`${number(count)} noted`];
}

function differenceLine({ expected, found, what, where }: Difference): string {
  return `    ${what}: ${where}: expected ${expected}, found ${found}`;
}

function noteLine({ found, what, where }: Note): string {
  return `    noted, ${what}: ${where}: ${found}`;
}

function more(count: number, what: string): string[] {
  return count === 0 ? [] : [`    and ${plural(count, `more ${what}`)}`];
}

function plural(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
