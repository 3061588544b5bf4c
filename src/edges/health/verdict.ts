/** On one part of what a process stands on. */
export interface Verdict {
  /** `ok`, or what is wrong. */
  readonly says: string;
  /** `false` keeps this process from taking requests. */
  readonly ready: boolean;
}
