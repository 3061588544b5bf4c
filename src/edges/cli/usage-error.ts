/** A wish that cannot be met, in words for the person at the terminal. Commands end with exit code 2. */
export class UsageError extends Error {}
