/** A tenant's clock may be ahead of the real one, for trials of what takes months. It never goes back. */
export interface TenantClockAdvanced {
  readonly type: 'TenantClockAdvanced';
  readonly schema: 1;
  readonly data: {
    readonly tenant: string;
    /** How far it is ahead now, in all, milliseconds. */
    readonly offsetMs: number;
  };
}

export function clockStream(tenant: string): string {
  return `clock/${tenant}`;
}

/** Milliseconds that the clock is ahead. */
export function evolveClock(offset: number, { data }: TenantClockAdvanced): number {
  if (data.offsetMs < offset) throw new Error('a clock went back');
  return data.offsetMs;
}
