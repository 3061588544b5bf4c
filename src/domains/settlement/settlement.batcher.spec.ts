import { Batcher, type Sent } from './settlement.batcher.js';

/** A sender that answers when told to. */
function manual() {
  const batches: string[][] = [];
  const answers: ((results: readonly Sent<string>[] | Error) => void)[] = [];
  const send = (items: readonly string[]) => {
    batches.push([...items]);
    return new Promise<readonly Sent<string>[]>((resolve, reject) => {
      answers.push((results) => (results instanceof Error ? reject(results) : resolve(results)));
    });
  };
  const echo = (n: number) => answers[n]!(batches[n]!.map((item) => ({ ok: item.toUpperCase() })));
  return { batches, answers, send, echo };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('batcher', () => {
  it('sends together what arrived while the last batch was being sent', async () => {
    const { batches, echo, send } = manual();
    const batcher = new Batcher(send, 40);
    const first = batcher.add('a');
    await turn();
    const later = [batcher.add('b'), batcher.add('c')];
    await turn();
    expect(batches).toEqual([['a']]);
    echo(0);
    expect(await first).toBe('A');
    await turn();
    expect(batches).toEqual([['a'], ['b', 'c']]);
    echo(1);
    expect(await Promise.all(later)).toEqual(['B', 'C']);
  });

  it('never sends more than the most', async () => {
    const { batches, echo, send } = manual();
    const batcher = new Batcher(send, 2);
    const all = ['a', 'b', 'c'].map((item) => batcher.add(item));
    await turn();
    echo(0);
    await turn();
    echo(1);
    await Promise.all(all);
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  it('fails each item alone, or all if sending throws, and goes on', async () => {
    const { answers, echo, send } = manual();
    const batcher = new Batcher(send, 40);
    const mixed = Promise.allSettled([batcher.add('a'), batcher.add('b')]);
    await turn();
    answers[0]!([{ ok: 'A' }, { error: new Error('b failed') }]);
    expect((await mixed).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const thrown = Promise.allSettled([batcher.add('c')]);
    await turn();
    answers[1]!(new Error('node away'));
    expect(await thrown).toMatchObject([{ status: 'rejected', reason: { message: 'node away' } }]);
    const last = batcher.add('d');
    await turn();
    echo(2);
    expect(await last).toBe('D');
  });
});
