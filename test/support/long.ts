/** How long a suite is: short in `npm test`, long in `npm run soak`, which runs every suite that imports this file. */

const LONG = process.env.TOLLBOOK_SOAK === '1';

/** The seed of this run: `TOLLBOOK_SEED`, else of the clock. The run prints it first, so that it can be repeated. */
export const seed = Number(process.env.TOLLBOOK_SEED);

export function scale(short: number, long: number): number {
  return LONG ? long : short;
}

/** Seeds to draw from in turn; the same ones for the same seed of the run. */
export function seeds(short: number, long: number): number[] {
  return Array.from({ length: scale(short, long) }, (_, n) => seed + n);
}

/** What `fc.assert` is told. */
export function runs(short: number, long: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: scale(short, long), seed };
}
