import type { PoolClient } from 'pg';
import type { Differences } from './differences.js';
import type { Seal } from './seal.js';
import { readSealsWithLeaves, type SealWithLeaves } from './seal-table.js';
import type { Witness } from './witness.js';

/** With up to 32 KiB of leaf hashes each. */
const PAGE = 100;

/** What table and witness have under one number; one of the two at least. */
export interface SealPair {
  readonly number: number;
  readonly record: SealWithLeaves | undefined;
  readonly witnessed: Seal | undefined;
  /** The table ends before this number: the database may have come back from a backup. */
  readonly behindTable: boolean;
}

/** Goes through table and witness side by side, by number. */
export async function* sealPairs(
  client: PoolClient,
  witness: Witness,
  witnessSize: number,
  differences: Differences,
): AsyncGenerator<SealPair> {
  const records = recordsOf(client);
  const lines = witnessedSeals(witness, witnessSize, differences);
  let [record, witnessed] = [await nextOf(records), await nextOf(lines)];
  while (record !== undefined || witnessed !== undefined) {
    const number = Math.min(
      record?.number ?? Number.POSITIVE_INFINITY,
      witnessed?.payload.number ?? Number.POSITIVE_INFINITY,
    );
    const isRecorded = record?.number === number;
    const isWitnessed = witnessed?.payload.number === number;
    yield {
      number,
      record: isRecorded ? record : undefined,
      witnessed: isWitnessed ? witnessed : undefined,
      behindTable: record === undefined,
    };
    if (isRecorded) record = await nextOf(records);
    if (isWitnessed) witnessed = await nextOf(lines);
  }
}

async function* recordsOf(client: PoolClient): AsyncGenerator<SealWithLeaves> {
  let number = 0;
  for (;;) {
    const page = await readSealsWithLeaves(client, number, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    number = page.at(-1)!.number + 1;
  }
}

/** In ascending order, each number once. A line may repeat an earlier one: a process was held up while it wrote. */
async function* witnessedSeals(witness: Witness, size: number, differences: Differences): AsyncGenerator<Seal> {
  const recent = new Map<number, string>();
  let last: Seal | undefined;
  for await (const { line, seal } of witness.lines(size)) {
    if (seal !== undefined && seal.payload.number > (last?.payload.number ?? 0)) {
      last = seal;
      remember(recent, seal);
      yield seal;
    } else if (seal === undefined || recent.get(seal.payload.number) !== seal.jws) {
      const position = last?.to ?? 0n;
      const detail = seal === undefined ? `line ${line} of the witness is no seal` : `line ${line} contradicts another`;
      differences.add({ kind: 'witness-differs', from: position, to: position, detail });
    }
  }
}

const RECENT = 10_000;

function remember(recent: Map<number, string>, { jws, payload }: Seal): void {
  recent.set(payload.number, jws);
  if (recent.size > RECENT) recent.delete(recent.keys().next().value!);
}

async function nextOf<T>(items: AsyncGenerator<T>): Promise<T | undefined> {
  const { done, value } = await items.next();
  return done ? undefined : value;
}
