import fc from 'fast-check';
import { GroupCommit, type Outcome } from './group-commit.js';

interface Item {
  readonly key: string;
  readonly n: number;
}

function harness(batchMax = 100) {
  const batches: Item[][] = [];
  let release: (() => void)[] = [];
  const commit = async (items: readonly Item[]): Promise<Outcome<number>[]> => {
    batches.push([...items]);
    await new Promise<void>((resolve) => release.push(resolve));
    return items.map((item) => (item.n < 0 ? { error: new Error(`no ${item.n}`) } : { ok: item.n }));
  };
  const commits = new GroupCommit(commit, (item: Item) => [item.key], batchMax);
  const finish = async () => {
    for (let turn = 0; turn < 1000; turn++) {
      for (const one of release.splice(0)) one();
      await new Promise((resolve) => setImmediate(resolve));
    }
    release = [];
  };
  return { batches, commits, finish };
}

describe('group commit', () => {
  it('commits together what arrived while the last commit was under way', async () => {
    const { batches, commits, finish } = harness();
    const first = commits.add({ key: 'a', n: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const others = [commits.add({ key: 'b', n: 2 }), commits.add({ key: 'c', n: 3 })];
    await finish();
    expect(await Promise.all([first, ...others])).toEqual([1, 2, 3]);
    expect(batches.map((batch) => batch.length)).toEqual([1, 2]);
  });

  it('fails alone what is refused', async () => {
    const { commits, finish } = harness();
    const outcomes = Promise.allSettled([commits.add({ key: 'a', n: 1 }), commits.add({ key: 'b', n: -1 })]);
    await finish();
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected']);
  });

  it('fails everything in a batch whose commit throws, and goes on', async () => {
    let broken = true;
    const commits = new GroupCommit<Item, number>(
      async (items) => {
        if (broken) throw new Error('connection lost');
        return items.map((item) => ({ ok: item.n }));
      },
      (item) => [item.key],
      10,
    );
    await expect(commits.add({ key: 'a', n: 1 })).rejects.toThrow('connection lost');
    broken = false;
    expect(await commits.add({ key: 'a', n: 2 })).toBe(2);
  });

  it('keeps every item once, in order per key, in batches within the limit', async () => {
    const items = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.nat(1000) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 7 }), async (list, batchMax) => {
        const { batches, commits, finish } = harness(batchMax);
        const results = Promise.all(list.map((item) => commits.add(item)));
        await finish();
        expect(await results).toEqual(list.map((item) => item.n));
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(batchMax);
          expect(new Set(batch.map((item) => item.key)).size).toBe(batch.length);
        }
        for (const key of ['a', 'b', 'c']) {
          const ofKey = (all: readonly Item[]) => all.filter((item) => item.key === key);
          expect(ofKey(batches.flat())).toEqual(ofKey(list));
        }
      }),
      { numRuns: 30 },
    );
  });
});
