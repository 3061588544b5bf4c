/** The work took too long. It goes on, but nobody waits for it. */
export class TimedOut extends Error {}

/** Waits for work no longer than `ms` milliseconds; rejects as the work does, or with `TimedOut` and this message. */
export async function withTimeout<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(message)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
