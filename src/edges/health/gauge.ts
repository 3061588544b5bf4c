/** A number that is read from the database whenever it is asked for. */
export interface QueriedGauge {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Its columns are the labels and `value`. */
  readonly query: string;
}
