/**
 * The answer, if it comes in time. When this process itself was busy for so long, an answer that waits to be read still counts:
 * timers come before what has arrived, so it is looked for once more.
 * @throws Error if it does not come within `ms` milliseconds
 */
export async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => setImmediate(() => reject(new Error(`no answer within ${ms} ms`))), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
