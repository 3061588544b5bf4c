/**
 * `npm run soak [-- --minutes N | --rounds N] [--seed N] [part of a file's name…]`: the long form of every suite that has one, round after
 * round, each with a seed of its own. Ends with one line `N passed, N failed`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './prepare.mjs';
import { runJest } from './run-jest.mjs';

const SEEDS = 2 ** 31;
/** Of a single test, for those that do not say; milliseconds. */
const TEST_TIMEOUT = 1_200_000;
/** A suite may draw this many seeds in a row. */
const SEEDS_A_ROUND = 1_000;
const OPTIONS = ['--runInBand', `--testTimeout=${TEST_TIMEOUT}`, '--runTestsByPath'];
const USAGE = 'Usage: npm run soak -- [--minutes N | --rounds N] [--seed N] [part of a file name…]';

class UsageError extends Error {}

function optionsFrom(args) {
  const text = { type: 'string' };
  let parsed;
  try {
    parsed = parseArgs({ args, options: { minutes: text, rounds: text, seed: text }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { minutes, rounds, seed } = parsed.values;
  if (minutes !== undefined && rounds !== undefined) throw new UsageError('Either --minutes or --rounds.');
  return {
    endAt: minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + whole('minutes', minutes, 1) * 60_000,
    rounds: minutes === undefined ? whole('rounds', rounds ?? '1', 1) : Number.POSITIVE_INFINITY,
    seed: seed === undefined ? Date.now() % SEEDS : whole('seed', seed, 0),
    suites: suitesNamed(parsed.positionals),
  };
}

function whole(name, text, least) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number < SEEDS) return number;
  throw new UsageError(`--${name} is a whole number from ${least} on, not "${text}".`);
}

/** The suites that ask how long they are to be. */
function suitesNamed(parts) {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true }).map((file) => join('test', file));
  const specs = files.filter((file) => file.endsWith('.spec.ts'));
  const long = specs.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes("support/long.js'")).sort();
  const named = long.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  if (named.length === 0)
    throw new UsageError(`No suite with a long form is named so. There are:\n  ${long.join('\n  ')}`);
  return named;
}

async function soak({ endAt, rounds, seed, suites }) {
  const total = { passed: 0, failed: 0 };
  for (let round = 1; round <= rounds && Date.now() < endAt; round++) {
    const roundSeed = (seed + (round - 1) * SEEDS_A_ROUND) % SEEDS;
    console.log(`Round ${round}, seed ${roundSeed}`);
    for (const [index, suite] of suites.entries()) {
      if (Date.now() >= endAt) break;
      const { passed, failed } = await runSuite(suite, roundSeed, `${index + 1}/${suites.length}`);
      total.passed += passed;
      total.failed += failed;
    }
  }
  return total;
}

async function runSuite(suite, seed, place) {
  const startedAt = Date.now();
  const env = { TOLLBOOK_SOAK: '1', TOLLBOOK_SEED: String(seed) };
  const { passed, failed, report } = await runJest([...OPTIONS, suite], { env, quiet: true });
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  if (failed > 0) console.error(report);
  console.log(`  ${place} ${suite}: ${passed} passed, ${failed} failed (${seconds} s)`);
  if (failed > 0) console.log(`  Again: npm run soak -- --seed ${seed} ${suite}`);
  return { passed, failed };
}

async function main(args) {
  if (args.includes('--help')) {
    console.log(USAGE);
    return;
  }
  const { passed, failed } = await soak(optionsFrom(args));
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
