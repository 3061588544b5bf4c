import type { SealDifference } from '../../../base/event-store/seals/differences.js';
import type { SealKeys } from '../../../base/event-store/seals/seal.js';
import { verifySeals } from '../../../base/event-store/seals/verify-seals.js';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';

/**
 * Every event is the one that was sealed, and every seal is signed, follows from those before it and is the one that the
 * witness outside the database has. Losses that were accepted are noted.
 *
 * @param witnessPath the file to which the sealing process appends
 */
export function sealsCheck(keys: SealKeys, witnessPath: string): Check {
  return {
    name: 'seals',
    async run({ listed, pool }: CheckContext, onProgress: Progress) {
      const findings = new Findings(listed);
      const report = await verifySeals(pool, keys, witnessPath, ({ events, total }) => onProgress(events, total));
      for (const difference of report.differences) {
        findings.differ(difference.kind, whereOf(difference), 'as it was sealed', difference.detail);
      }
      findings.more(report.differenceCount - report.differences.length);
      for (const { accepted, lostFrom, lostTo } of report.restorations) {
        if (accepted)
          findings.note('accepted loss', `positions ${lostFrom} to ${lostTo}`, 'lost with a restored backup');
      }
      const { events, seals, unsealed, witnessed } = report;
      // Without it, a log that was cut off together with its seals is whole.
      if (seals > 0 && witnessed === 0) findings.gap(`there are no seals in ${witnessPath}, which witnesses them`);
      return findings.result({ events, seals, 'not sealed yet': unsealed, 'not in the witness': seals - witnessed });
    },
  };
}

function whereOf({ from, seal, to }: SealDifference): string {
  const positions = from === to ? `position ${from}` : `positions ${from} to ${to}`;
  return seal === undefined ? positions : `${positions}, seal ${seal}`;
}
