import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readSeal, type Seal } from './seal.js';

const NEWLINE = 0x0a;
/** More than a line can have. */
const TAIL_BYTES = 8192;

/** Where the witness of an installation is. */
export function witnessPathOf(dataDir: string): string {
  return join(dataDir, 'seals.jsonl');
}

/** One line of the witness; `seal` is missing if it is none. */
export interface WitnessLine {
  /** 1 for the first. */
  readonly line: number;
  readonly seal: Seal | undefined;
}

/**
 * Every seal once more, outside the database: `{"number":1,"jws":"…"}`, one a line. Whoever rewrites the log and its
 * seals has to rewrite this file, and every copy of it, too. Written by one process at a time, which the sealer's lock sees to.
 */
export class Witness {
  constructor(readonly path: string) {}

  /**
   * The seal on the last line; `undefined` if there is none yet. A last line that a kill has torn is cut off first.
   *
   * @throws if the file ends in something else than seals
   */
  async last(): Promise<Seal | undefined> {
    const file = await openIfAny(this.path);
    if (file === undefined) return undefined;
    try {
      const tail = await readTail(file);
      const end = tail.bytes.lastIndexOf(NEWLINE) + 1;
      if (end === 0 && tail.start > 0) throw new Error(`${this.path} does not end in seals`);
      if (end < tail.bytes.length) await mend(file, tail.start + end);
      const lines = tail.bytes.subarray(0, end).toString().trimEnd();
      if (lines === '') return undefined;
      const seal = sealOn(lines.slice(lines.lastIndexOf('\n') + 1));
      if (seal === undefined) throw new Error(`the last line of ${this.path} is no seal`);
      return seal;
    } finally {
      await file.close();
    }
  }

  /** On the disk when it resolves. */
  async append(seals: readonly Seal[]): Promise<void> {
    if (seals.length === 0) return;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.write(
        seals.map(({ jws, payload }) => `${JSON.stringify({ number: payload.number, jws })}\n`).join(''),
      );
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Its size now, for `lines`. Read it before the seals of the database: then all of these lines have a seal there. */
  async size(): Promise<number> {
    try {
      return (await stat(this.path)).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw error;
    }
  }

  /** The whole lines of its first `size` bytes, in the order of the file. */
  async *lines(size: number): AsyncGenerator<WitnessLine> {
    if (size === 0) return;
    let line = 0;
    let rest = '';
    for await (const piece of createReadStream(this.path, { encoding: 'utf8', end: size - 1 })) {
      const texts = (rest + piece).split('\n');
      rest = texts.pop()!;
      for (const text of texts) yield { line: ++line, seal: sealOn(text) };
    }
  }
}

function sealOn(line: string): Seal | undefined {
  try {
    const { jws, number } = JSON.parse(line) as { jws?: unknown; number?: unknown };
    const seal = typeof jws === 'string' ? readSeal(jws) : undefined;
    return seal?.payload.number === number ? seal : undefined;
  } catch {
    return undefined;
  }
}

async function openIfAny(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readTail(file: FileHandle): Promise<{ readonly bytes: Buffer; readonly start: number }> {
  const { size } = await file.stat();
  const start = Math.max(0, size - TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  return { bytes: buffer.subarray(0, bytesRead), start };
}

async function mend(file: FileHandle, size: number): Promise<void> {
  await file.truncate(size);
  await file.sync();
}
