/** Usage events were stored, in one transaction with this. */
export interface UsageIngested {
  readonly type: 'UsageIngested';
  readonly schema: 1;
  readonly data: {
    /** In the rows of `usage_events`, whose lines count from 1. */
    readonly batch: string;
    readonly events: number;
    /** Root of the Merkle tree over the leaves of the rows, in order of their lines. */
    readonly root: string;
    /** Earliest and latest time of use; RFC 3339, UTC, microseconds. */
    readonly from: string;
    readonly to: string;
    /** RFC 3339, UTC. */
    readonly receivedAt: string;
  };
}

export function usageStream(tenant: string, batch: string): string {
  return `usage/${tenant}/${batch}`;
}
