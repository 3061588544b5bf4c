import { parseFlags, UsageError } from './command.js';

export interface RebuildCommandOptions {
  /** Names of projections; all if empty. */
  readonly only: readonly string[];
  /** Compare, and leave the live rows as they are. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

const USAGE = 'Usage: npm run rebuild -- [--only name,name] [--dry-run] [--json]';
const FLAGS = {
  only: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

/**
 * Reads `--only a,b --dry-run --json`.
 *
 * @param known names of the projections that there are
 * @throws UsageError
 */
export function parseRebuildOptions(args: readonly string[], known: readonly string[]): RebuildCommandOptions {
  const { 'dry-run': dryRun, json, only: names } = parseFlags(args, FLAGS, USAGE);
  const only = names === undefined ? [] : names.split(',').map((name) => name.trim());
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`There is no projection "${unknown}"; there are ${known.join(', ')}\n${USAGE}`);
  }
  return { only, dryRun, json };
}
