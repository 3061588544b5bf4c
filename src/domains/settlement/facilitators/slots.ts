/** How many may do something at the same time, by name. */
export class Slots {
  private readonly taken = new Map<string, number>();
  private all = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly limits: { readonly each: number; readonly all: number; readonly waiting: number }) {}

  /** False if there is no room. */
  take(name: string): boolean {
    const taken = this.taken.get(name) ?? 0;
    if (taken >= this.limits.each || this.all >= this.limits.all) return false;
    this.taken.set(name, taken + 1);
    this.all++;
    return true;
  }

  /** Whether so many wait that nobody else should. */
  get isCrowded(): boolean {
    return this.waiting.length >= this.limits.waiting;
  }

  release(name: string): void {
    const left = (this.taken.get(name) ?? 1) - 1;
    if (left === 0) this.taken.delete(name);
    else this.taken.set(name, left);
    this.all--;
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Resolves when somebody has released one. */
  released(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
