import type { Job } from './load.js';
import { type BenchProcess, type CpuProbe, type Measured, measure } from './processes.js';
import type { Series } from './statistics.js';

/** One side of a comparison. */
export interface Contender {
  readonly name: string;
  readonly job: Job;
  /** Status that every reply must have: a fast refusal is no fast answer. */
  readonly expect: number;
  readonly probe: CpuProbe;
  /** Work before each round that is not measured. */
  before?(): Promise<void>;
  /** Called when everything is prepared, right before the measured part. */
  whenReady?(): Promise<void>;
}

/** Runs the contenders in turn, A B A B, so that a busy moment of the machine hits all of them. */
export async function alternate(
  generator: BenchProcess,
  contenders: readonly Contender[],
  rounds: number,
  note: (line: string) => void,
): Promise<Series[]> {
  const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      await contender.before?.();
      const measured = await runOnce(generator, contender);
      results.get(contender.name)!.push(measured);
      note(`round ${round}/${rounds} ${contender.name}: ${Math.round(measured.requests / measured.seconds)}/s`);
    }
  }
  return contenders.map(({ name }) => ({ name, rounds: results.get(name)! }));
}

/** Throws if any reply was not what it should be. */
export async function runOnce(generator: BenchProcess, contender: Contender): Promise<Measured> {
  const { name, job, expect, probe } = contender;
  const measured = await measure(generator, job, probe, contender.whenReady);
  const { statuses, requests } = measured;
  if (statuses[expect] !== requests) throw new Error(`${name} answered ${JSON.stringify(statuses)}, not ${expect}`);
  return measured;
}
