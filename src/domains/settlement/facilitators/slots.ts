/** How many may do something at the same time, by name. */
export class Slots {
  private readonly taken = new Map<string, number>();
  private waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** False if there is no room. */
  take(name: string): boolean {
    const taken = this.taken.get(name) ?? 0;
    if (taken >= this.limit) return false;
    this.taken.set(name, taken + 1);
    return true;
  }

  release(name: string): void {
    const left = (this.taken.get(name) ?? 1) - 1;
    if (left === 0) this.taken.delete(name);
    else this.taken.set(name, left);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Resolves when somebody has released one. */
  released(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
