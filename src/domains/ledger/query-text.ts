/** Builds the conditions of a query; values are parameters, never part of its text. */
export class QueryText {
  readonly values: unknown[] = [];

  /** The place that stands for a value: `$1`. */
  param(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /**
   * All of the comparisons whose value is given, joined by `and`; `true` if none is.
   *
   * @param comparisons such as `{ 'id <': 5, 'kind =': undefined }`
   */
  all(comparisons: Readonly<Record<string, unknown>>): string {
    const given = Object.entries(comparisons).filter(([, value]) => value !== undefined);
    return given.map(([comparison, value]) => `${comparison} ${this.param(value)}`).join(' and ') || 'true';
  }
}
