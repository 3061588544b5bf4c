import { createHash, type Hash, hash } from 'node:crypto';

/** What the books say about a body: how long it was, what it was, and its bytes if they are kept. */
export interface BodyRecord {
  readonly bytes: number;
  /** Base64url SHA-256 of the body as the upstream sent it. */
  readonly digest: string;
  /** Absent if the body is longer than what is kept. */
  readonly copy: Buffer | undefined;
}

export function recordOf(body: Buffer): BodyRecord {
  return { bytes: body.length, digest: hash('sha256', body, 'base64url'), copy: body };
}

/** Records a body while it passes by. */
export class BodyRecorder {
  readonly #hash: Hash = createHash('sha256');
  #copy: Buffer[] | undefined = [];
  bytes = 0;

  /** @param keepBytesMax longest body that is kept */
  constructor(private readonly keepBytesMax: number) {}

  get keeps(): boolean {
    return this.#copy !== undefined;
  }

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    if (this.bytes > this.keepBytesMax) this.#copy = undefined;
    else this.#copy?.push(chunk);
  }

  finish(complete: boolean): BodyRecord {
    const copy = complete && this.#copy ? Buffer.concat(this.#copy) : undefined;
    return { bytes: this.bytes, digest: this.#hash.digest('base64url'), copy };
  }
}
