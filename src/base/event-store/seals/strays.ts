import type { Differences } from './differences.js';
import { leafAnywhere, type SealRow } from './leaf.js';

/** Each row is tried at each place, so of very many only the first are compared. */
const COMPARED = 128;

/** A place whose event is not there any more, and what its leaf was. */
interface Vacancy {
  readonly position: bigint;
  readonly leaf: Buffer;
  readonly seal: number;
}

interface Stray {
  readonly row: SealRow;
  /** The seal that covers its position, if one does. */
  readonly seal: number | undefined;
}

/** Rows that are not what was sealed at their position: finds out which of them were sealed at another one. */
export class Strays {
  private readonly vacancies: Vacancy[] = [];
  private readonly rows: Stray[] = [];

  constructor(private readonly differences: Differences) {}

  vacant(position: bigint, leaf: Buffer, seal: number): void {
    if (this.vacancies.length < COMPARED) this.vacancies.push({ position, leaf: Buffer.from(leaf), seal });
  }

  add(row: SealRow, seal: number | undefined): void {
    if (this.rows.length < COMPARED) this.rows.push({ row, seal });
    else this.report({ row, seal }, undefined, new Set());
  }

  /** Names each row as moved, inserted or edited. */
  resolve(): void {
    const origins = this.rows.map(({ row }) => this.originOf(row));
    const moved = new Set(origins.flatMap((vacancy) => (vacancy === undefined ? [] : [vacancy.position])));
    for (const [index, stray] of this.rows.entries()) this.report(stray, origins[index], moved);
  }

  private originOf(row: SealRow): Vacancy | undefined {
    const leafAt = leafAnywhere(row);
    return this.vacancies.find(({ leaf, position }) => leafAt(position.toString()).equals(leaf));
  }

  private report({ row, seal }: Stray, origin: Vacancy | undefined, moved: ReadonlySet<bigint>): void {
    const position = BigInt(row[0]);
    const at = { from: position, to: position, seal };
    const what = `${row[3]}, version ${row[2]} of ${row[1]}`;
    if (origin !== undefined) {
      this.differences.add({ ...at, kind: 'event-moved', detail: `${what} was sealed at ${origin.position}` });
    } else if (seal === undefined || moved.has(position)) {
      this.differences.add({
        ...at,
        kind: 'event-inserted',
        detail: `${what} was not there when its place was sealed`,
      });
    } else {
      this.differences.add({ ...at, kind: 'event-edited', detail: `${what} is not what was sealed` });
    }
  }
}
