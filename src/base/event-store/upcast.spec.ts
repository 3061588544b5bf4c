import type { StoredEvent } from './event.js';
import { UnknownEventVersion, type UpcastStep, upcasterOf } from './upcast.js';

/** Version 1 had one name, 2 split it, 3 counts its words. */
const steps: readonly UpcastStep[] = [
  { type: 'Renamed', from: 2, data: ({ words }) => ({ words: words!, count: (words as string[]).length }) },
  { type: 'Renamed', from: 1, data: ({ name }) => ({ words: String(name).split(' ') }) },
];
const upcast = upcasterOf(steps);

function stored(type: string, schema: number, data: StoredEvent['data']): StoredEvent {
  return { position: 7n, stream: 'thing/1', version: 1, type, schema, tenant: 't', data, occurredAt: new Date(0) };
}

describe('an upcaster', () => {
  const newest = { words: ['a', 'b'], count: 2 };

  it.each([
    [1, { name: 'a b' }],
    [2, { words: ['a', 'b'] }],
    [3, newest],
  ])('lifts version %i to the newest through every step between', (schema, data) => {
    expect(upcast(stored('Renamed', schema, data))).toEqual(stored('Renamed', 3, newest));
  });

  it('leaves the stored event as it is', () => {
    const event = stored('Renamed', 1, { name: 'a b' });
    upcast(event);
    expect(event).toEqual(stored('Renamed', 1, { name: 'a b' }));
  });

  it('hands on types without steps, which have one version', () => {
    const event = stored('Other', 1, {});
    expect(upcast(event)).toBe(event);
  });

  it.each([
    ['Renamed', 4],
    ['Other', 2],
  ])('refuses %s in version %i, which only a newer program can read', (type, schema) => {
    expect(() => upcast(stored(type, schema, {}))).toThrow(UnknownEventVersion);
    expect(() => upcast(stored(type, schema, {}))).toThrow(`${type} at position 7 has schema version ${schema}`);
  });

  it.each([
    ['a gap', [steps[0]!]],
    ['two steps from one version', [...steps, steps[1]!]],
  ])('is not made of steps with %s', (_what, wrong) => {
    expect(() => upcasterOf(wrong)).toThrow('the steps of Renamed must start at versions 1, 2, …');
  });
});
