/**
 * The numbers of invoices that a text names, such as `INV-000042`, each once: banks and payers drop the hyphen and the zeros, write small letters,
 * or put a blank in its place. Days and amounts behind the prefix (`inv 2026-12-01`) are none.
 *
 * @param prefix of the tenant's numbers, capital letters and digits
 */
export function namedInvoices(text: string, prefix: string): readonly number[] {
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])${prefix}[\\s\\p{Pd}_./#:]{0,3}0{0,12}([1-9]\\d{0,8})(?![\\p{L}\\p{N}]|[.,/\\p{Pd}]\\p{N})`,
    'giu',
  );
  return [...new Set([...text.matchAll(pattern)].map(([, digits]) => Number(digits)))];
}
