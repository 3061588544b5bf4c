import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 50;

/**
 * Waits for a condition: calls `probe` until it neither throws nor returns `undefined` or `false`, and resolves to what it
 * returned. Rejects with the last error after `timeoutMs`.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const result = await probe();
      if (result !== undefined && result !== false) return result as Exclude<T, undefined | false>;
      last = new Error(`still ${result}`);
    } catch (error) {
      last = error;
    }
    await delay(PAUSE_MS);
  } while (performance.now() < end);
  throw new Error(`not within ${timeoutMs} ms: ${(last as Error).message}`, { cause: last });
}
