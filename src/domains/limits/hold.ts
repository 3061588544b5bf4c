/** What was taken of one total, in the units of its key: atomic units for exposure. */
export interface Hold {
  readonly key: string;
  /** Decimal. */
  readonly amount: string;
}
