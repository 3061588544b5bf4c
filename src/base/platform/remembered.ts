import type { Clock } from '../shared/clock.js';

/** Answers with what was read less than `ms` ago, and reads anew otherwise. Calls meanwhile share the reading; a failure is forgotten. */
export function remembered<T>(read: () => Promise<T>, ms: number, clock: Clock): () => Promise<T> {
  let last: { readonly answer: Promise<T>; readonly at: number } | undefined;
  return () => {
    const now = clock();
    if (last !== undefined && now - last.at < ms) return last.answer;
    const mine = { answer: read(), at: now };
    last = mine;
    mine.answer.catch(() => {
      if (last === mine) last = undefined;
    });
    return mine.answer;
  };
}
