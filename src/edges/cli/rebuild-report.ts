import type { ProjectionComparison, TableComparison } from '../../base/event-store/projections/compare.js';
import type { RebuildOutcome } from './rebuild-projection.js';

/** True if it was rebuilt, and equal to the live rows wherever the two could be compared. */
export function isInOrder(outcome: RebuildOutcome): boolean {
  return !('error' in outcome) && (outcome.comparison?.equal ?? true);
}

/** For people: one line, and the differing rows as minus (live) and plus (rebuilt). */
export function renderOutcome(outcome: RebuildOutcome): string {
  if ('error' in outcome) return `${outcome.name}: not rebuilt: ${outcome.error}`;
  const { comparison, events, name, seconds, swapped, version } = outcome;
  const rate = Math.round(Number(events) / Math.max(seconds, 0.001));
  const work = `${format(events)} events in ${seconds.toFixed(1)} s (${format(rate)}/s)`;
  const outcomes = comparison ? verdict(comparison) : `there were no live rows of version ${version} to compare with`;
  return [`${name}: ${work}; ${outcomes}${swapped ? '; swapped in' : ''}`, ...differences(comparison)].join('\n');
}

/** For programs: positions are decimal strings. */
export function outcomesAsJson(outcomes: readonly RebuildOutcome[]): string {
  const exact = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  return JSON.stringify({ equal: outcomes.every(isInOrder), projections: outcomes }, exact, 2);
}

function verdict({ equal, position, tables }: ProjectionComparison): string {
  const rows = tables.map(({ rebuiltRows, table }) => `${table} ${format(rebuiltRows)}`).join(', ');
  return `at position ${format(position)} ${equal ? 'equal to' : 'NOT equal to'} the live rows (${rows})`;
}

function differences(comparison: ProjectionComparison | undefined): string[] {
  const differing = comparison?.tables.filter(({ equal }) => !equal) ?? [];
  return differing.flatMap(({ differences: shown, liveRows, rebuiltRows, table }: TableComparison) => [
    `  ${table}: ${format(liveRows)} live rows, ${format(rebuiltRows)} rebuilt; the first that differ, live - and rebuilt +:`,
    ...shown.map(({ row, side }) => `  ${side} ${row}`),
  ]);
}

function format(count: number | bigint): string {
  return count.toLocaleString('en-US');
}
