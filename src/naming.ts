/** Connection errors tell an address at best; people look for the variable that holds it. */
export async function naming<T>(what: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: Error) => {
    throw new Error(`${what}: ${cause.message}`, { cause });
  });
}
