/** Postgres says this of every statement behind the one that failed. */
const IN_FAILED_TRANSACTION = '25P02';

/**
 * Waits for statements that were sent together. Of several failures it throws the one that caused the others, and
 * only when all have ended, so that nothing is left on the connection.
 */
export async function together<T extends readonly unknown[]>(
  statements: readonly [...{ [K in keyof T]: Promise<T[K]> }] | readonly Promise<T[number]>[],
): Promise<T> {
  const settled = await Promise.allSettled(statements);
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as { code?: string }] : []));
  if (failures.length > 0) throw failures.find(({ code }) => code !== IN_FAILED_TRANSACTION) ?? failures[0];
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
