import { Slots } from './slots.js';

describe('the slots of facilitators', () => {
  it('are so many for each, and so many for all of them', () => {
    const slots = new Slots({ each: 2, all: 3, waiting: 1 });
    expect(['a', 'a', 'a', 'b', 'b'].map((name) => slots.take(name))).toEqual([true, true, false, true, false]);
    slots.release('a');
    expect(['b', 'a'].map((name) => slots.take(name))).toEqual([true, false]);
  });

  it('are crowded when enough wait, until somebody has released one', async () => {
    const slots = new Slots({ each: 1, all: 1, waiting: 1 });
    slots.take('slow');
    expect(slots.isCrowded).toBe(false);
    const turn = slots.released();
    expect(slots.isCrowded).toBe(true);
    slots.release('slow');
    await turn;
    expect(slots.isCrowded).toBe(false);
  });
});
