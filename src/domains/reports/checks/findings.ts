import type { CheckResult, Difference, Note } from './check.js';

/** Collects what a check finds, in bounded memory: the first ones in full, of the others the number. */
export class Findings {
  private readonly differences: Difference[] = [];
  private readonly notes: Note[] = [];
  private readonly gaps: string[] = [];
  private moreDifferences = 0;
  private moreNotes = 0;

  /** @param listed how many differences, and how many notes, are kept in full */
  constructor(private readonly listed: number) {}

  differ(what: string, where: string, expected: unknown, found: unknown): void {
    if (this.differences.length >= this.listed) this.moreDifferences++;
    else this.differences.push({ what, where, expected: String(expected), found: String(found) });
  }

  /** Differences that somebody else found and only counted. */
  more(count: number): void {
    this.moreDifferences += count;
  }

  note(what: string, where: string, found: unknown): void {
    if (this.notes.length >= this.listed) this.moreNotes++;
    else this.notes.push({ what, where, found: String(found) });
  }

  /** Something could not be compared. */
  gap(why: string): void {
    this.gaps.push(why);
  }

  result(counts: CheckResult['counts']): CheckResult {
    const { differences, gaps, moreDifferences, moreNotes, notes } = this;
    return { counts, differences, moreDifferences, notes, moreNotes, gaps };
  }
}
