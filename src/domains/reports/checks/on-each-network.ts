import type { Network } from '../../../base/shared/hex.js';
import type { Check, CheckContext, CheckResult, Progress } from './check.js';

/**
 * One check of several chains, one after the other. What is found names its network if there are several; a chain that
 * cannot be asked is a gap, and the others are looked at all the same.
 */
export function onEachNetwork(name: string, networks: readonly Network[], checkOf: (network: Network) => Check): Check {
  const [only] = networks;
  if (only === undefined) {
    const why = 'no chain is known; TOLLBOOK_CHAINS or CHAIN_RPC_URL names one';
    return { name, run: () => Promise.reject(new Error(why)) };
  }
  if (networks.length === 1) return checkOf(only);
  return {
    name,
    async run(context, onProgress) {
      const results: [Network, CheckResult][] = [];
      for (const [n, network] of networks.entries()) {
        const part: Progress = (done, total) => onProgress(n + (total === 0 ? 1 : done / total), networks.length);
        results.push([network, await resultOf(network, checkOf(network), context, part)]);
      }
      return together(results, context.listed);
    },
  };
}

async function resultOf(
  network: Network,
  check: Check,
  context: CheckContext,
  onProgress: Progress,
): Promise<CheckResult> {
  try {
    return await check.run(context, onProgress);
  } catch (error) {
    const gaps = [`it could not be run on ${network}: ${(error as Error).message}`];
    return { counts: {}, differences: [], moreDifferences: 0, notes: [], moreNotes: 0, gaps };
  }
}

function together(results: readonly [Network, CheckResult][], listed: number): CheckResult {
  const placed = <T extends { readonly where: string }>(of: (result: CheckResult) => readonly T[]): T[] =>
    results.flatMap(([network, result]) => of(result).map((one) => ({ ...one, where: `${network} ${one.where}` })));
  const sum = (of: (result: CheckResult) => number) => results.reduce((total, [, result]) => total + of(result), 0);
  const differences = placed(({ differences }) => differences);
  const notes = placed(({ notes }) => notes);
  const counts = results.flatMap(([network, result]) =>
    Object.entries(result.counts).map(([what, count]) => [`${what} on ${network}`, count] as const),
  );
  return {
    counts: Object.fromEntries(counts),
    differences: differences.slice(0, listed),
    moreDifferences: sum(({ moreDifferences }) => moreDifferences) + Math.max(0, differences.length - listed),
    notes: notes.slice(0, listed),
    moreNotes: sum(({ moreNotes }) => moreNotes) + Math.max(0, notes.length - listed),
    // What is on no known chain is a gap in the check of each.
    gaps: [...new Set(results.flatMap(([, { gaps }]) => gaps))],
  };
}
