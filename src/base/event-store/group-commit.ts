interface Waiting<T, R> {
  readonly item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** What became of one item of a batch. */
export type Outcome<R> = { readonly ok: R } | { readonly error: unknown };

/**
 * Shares one commit between everything that arrived while the last commit was under way. No timers: an idle
 * system commits at once, a busy one in ever larger batches.
 */
export class GroupCommit<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private running = false;

  /**
   * @param commit stores a batch and says per item what became of it; if it throws, all items fail with that error
   * @param conflictKeys two items that share a key never share a batch; the later one waits for the next
   */
  constructor(
    private readonly commit: (items: readonly T[]) => Promise<readonly Outcome<R>[]>,
    private readonly conflictKeys: (item: T) => readonly string[],
    private readonly batchMax: number,
  ) {}

  add(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    // Lets everything that this turn of the event loop brings join the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) await this.commitOnce(this.takeBatch());
    this.running = false;
  }

  private takeBatch(): Waiting<T, R>[] {
    const keys = new Set<string>();
    const batch: Waiting<T, R>[] = [];
    const later: Waiting<T, R>[] = [];
    for (const entry of this.waiting) {
      const itsKeys = this.conflictKeys(entry.item);
      if (batch.length < this.batchMax && !itsKeys.some((key) => keys.has(key))) batch.push(entry);
      else later.push(entry);
      // A deferred item keeps its place: nothing that shares a key with it may overtake.
      for (const key of itsKeys) keys.add(key);
    }
    this.waiting = later;
    return batch;
  }

  private async commitOnce(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const outcomes = await this.commit(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => {
        const outcome = outcomes[index]!;
        if ('ok' in outcome) entry.resolve(outcome.ok);
        else entry.reject(outcome.error);
      });
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
  }
}
