/** Requests, and bytes of their bodies, that one process works on at a time. */
const REQUESTS_MAX = 128;
const BYTES_MAX = 33_554_432;

/** What is under way, so that a slow database makes senders wait outside and not in our memory. */
export class InFlight {
  private requests = 0;
  private bytes = 0;

  /** Takes a place for a body of so many bytes; returns how to leave it, once, or `undefined` if there is none. */
  enter(bytes: number): (() => void) | undefined {
    if (this.requests >= REQUESTS_MAX || this.bytes + bytes > BYTES_MAX) return undefined;
    this.requests++;
    this.bytes += bytes;
    return () => {
      this.requests--;
      this.bytes -= bytes;
    };
  }
}
