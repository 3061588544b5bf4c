import fc from 'fast-check';
import { FairQueue, URGENCIES } from './fair-queue.js';

function drained<T>(queue: FairQueue<T>): T[] {
  const served: T[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) served.push(next);
  return served;
}

describe('a fair queue', () => {
  it('serves the more urgent first, whoever came first, and in order within a lane', () => {
    const queue = new FairQueue<string>();
    for (const name of ['7a', '3a', '7b', '0a', '3b', '5a', '0b']) queue.push(Number(name[0]), name);
    expect(drained(queue)).toEqual(['0a', '0b', '3a', '3b', '5a', '7a', '7b']);
  });

  it('gives a lane twice the turns of the next one while both have somebody waiting', () => {
    const queue = new FairQueue<number>();
    for (let count = 0; count < 300; count++)
      for (const urgency of [2, 3, 4]) queue.push(urgency, urgency * 1000 + count);
    const turns = Array.from({ length: 140 }, () => Math.floor(queue.shift()! / 1000));
    expect([2, 3, 4].map((urgency) => turns.filter((turn) => turn === urgency).length)).toEqual([80, 40, 20]);
  });

  it('forgets who has left', () => {
    const queue = new FairQueue<string>();
    for (const name of ['a', 'b', 'c']) queue.push(3, name);
    expect([queue.remove(3, 'b'), queue.remove(3, 'b'), queue.remove(4, 'a')]).toEqual([true, false, false]);
    expect([queue.size, queue.sizeOf(3), queue.sizeOf(4)]).toEqual([2, 2, 0]);
    expect(drained(queue)).toEqual(['a', 'c']);
  });

  const urgencies = fc.integer({ min: 0, max: URGENCIES - 1 });
  const steps = fc.array(
    fc.oneof({ weight: 3, arbitrary: urgencies }, { weight: 2, arbitrary: fc.constant('shift') }),
    {
      maxLength: 400,
    },
  );

  it('serves everybody exactly once', () => {
    fc.assert(
      fc.property(steps, (run) => {
        const queue = new FairQueue<number>();
        const served: number[] = [];
        let pushed = 0;
        for (const step of run) {
          if (typeof step === 'number') queue.push(step, pushed++);
          else served.push(...[queue.shift() ?? []].flat());
        }
        served.push(...drained(queue));
        expect(served.sort((a, b) => a - b)).toEqual(Array.from({ length: pushed }, (_, n) => n));
      }),
    );
  });

  it('starves nobody: the first of lane u is served within 2^(u+1) + 8 turns, whoever keeps coming', () => {
    const crowd = fc.array(fc.array(urgencies, { maxLength: 6 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, urgencies, crowd, (before, urgency, arrivals) => {
        const queue = new FairQueue<object>();
        for (const step of before) {
          if (typeof step === 'number') queue.push(step, {});
          else queue.shift();
        }
        while (queue.sizeOf(urgency) > 0) queue.shift();
        const patient = {};
        queue.push(urgency, patient);
        for (let turn = 1; turn <= 2 ** (urgency + 1) + 8; turn++) {
          for (const other of arrivals[turn % arrivals.length]!) queue.push(other, {});
          if (queue.shift() === patient) return;
        }
        throw new Error('starved');
      }),
    );
  });
});
