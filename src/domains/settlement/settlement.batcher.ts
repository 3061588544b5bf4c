/** What became of one item of a batch. */
export type Sent<R> = { readonly ok: R } | { readonly error: unknown };

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins items into batches without timers: a batch is what arrived while the last one was being sent. Batches are
 * sent one after the other, in order of arrival.
 */
export class Batcher<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private sending = false;

  /** `send` answers for each item, in order; if it throws, each of its items fails with that error. */
  constructor(
    private readonly send: (items: readonly T[]) => Promise<readonly Sent<R>[]>,
    private readonly maxItems: number,
  ) {}

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.sending) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.sending = true;
    // Items that are added in the same turn of the event loop share the first batch.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.maxItems);
      await this.sendBatch(batch);
    }
    this.sending = false;
  }

  private async sendBatch(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.send(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index]!;
        if ('ok' in result) resolve(result.ok);
        else reject(result.error);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
