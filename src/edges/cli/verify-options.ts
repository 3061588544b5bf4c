import { parseFlags, UsageError } from './command.js';

export const CHECKS = [
  'log',
  'shapes',
  'seals',
  'catalogue',
  'usage',
  'commitments',
  'invoices',
  'ledger',
  'holds',
  'projections',
  'receipts',
  'chain',
  'gas',
] as const;
export type CheckName = (typeof CHECKS)[number];

export interface VerifyOptions {
  readonly json: boolean;
  /** In the order of `CHECKS`; at least one. */
  readonly only: readonly CheckName[];
  /** Records first that the events which a restored backup lacks are known to be lost. */
  readonly acceptLoss: boolean;
}

const USAGE = `Usage: npm run verify -- [--only ${CHECKS.join(',')}] [--json] [--accept-loss]`;
const FLAGS = {
  'accept-loss': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  only: { type: 'string' },
} as const;

/** Throws `UsageError`. */
export function parseVerifyOptions(args: readonly string[]): VerifyOptions {
  const { 'accept-loss': acceptLoss, json, only } = parseFlags(args, FLAGS, USAGE);
  return { acceptLoss, json, only: only === undefined ? CHECKS : namesIn(only) };
}

function namesIn(only: string): readonly CheckName[] {
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !CHECKS.includes(name as CheckName));
  if (unknown !== undefined) throw new UsageError(`There is no check "${unknown}".\n${USAGE}`);
  return CHECKS.filter((name) => names.includes(name));
}
