/** Reads a query as sent, with its question mark or empty, when first asked: `null` for a name that stands there twice. */
export function queryReader(query: string): (name: string) => string | null | undefined {
  let parsed: URLSearchParams | undefined;
  return (name) => {
    parsed ??= new URLSearchParams(query);
    const [first, second] = parsed.getAll(name);
    return second === undefined ? first : null;
  };
}
