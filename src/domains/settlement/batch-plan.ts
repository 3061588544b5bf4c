/** Most payments in one transaction. */
export const BATCH_MAX = 40;
