import { ABSENT, type EventsFact, UNREADABLE } from './fact.js';
import { type JsonPointer, resolvePointer } from './json-pointer.js';

/** Server-sent events (WHATWG HTML, 9.2), or one JSON text a line (NDJSON, JSON lines). */
export type StreamFormat = 'sse' | 'lines';

const LINES = /^application\/(?:x-ndjson|ndjson|jsonl|jsonlines|x-jsonlines)$/;
/** A blank line, whatever ends the lines. What follows a CR says whether it was an end by itself. */
const BLANK_LINE = /(?:\r\n|\n|\r(?=[^\n])){2}/g;
const LINE_END = /\n/g;

/** @param contentType as the response says it */
export function streamFormat(contentType: string | null | undefined): StreamFormat | undefined {
  const [type = ''] = (contentType ?? '').toLowerCase().split(/\s*;/);
  if (type === 'text/event-stream') return 'sse';
  return LINES.test(type) ? 'lines' : undefined;
}

/** Cuts bytes into whole events, each with what ends it. */
export class EventSplitter {
  private begun: Buffer = Buffer.alloc(0);

  constructor(private readonly format: StreamFormat) {}

  /** Bytes of an event whose end has not come. */
  get waiting(): number {
    return this.begun.length;
  }

  take(chunk: Buffer): Buffer[] {
    const bytes = this.begun.length === 0 ? chunk : Buffer.concat([this.begun, chunk]);
    const events: Buffer[] = [];
    let from = 0;
    for (const { 0: end, index } of bytes.toString('latin1').matchAll(this.format === 'sse' ? BLANK_LINE : LINE_END)) {
      events.push(bytes.subarray(from, index + end.length));
      from = index + end.length;
    }
    this.begun = bytes.subarray(from);
    return events;
  }

  /** What has no end: the last line of a stream may lack it. */
  rest(): Buffer {
    const { begun } = this;
    this.begun = Buffer.alloc(0);
    return begun;
  }
}

/**
 * What one event adds, or states so far: 1, or the whole number at the pointer. 0 if it has no data, or no such number in it (heartbeats,
 * `[DONE]`); `undefined` if what stands there is no whole number.
 */
export function figureOf(event: Buffer, format: StreamFormat, pointer: JsonPointer | undefined): bigint | undefined {
  const data = format === 'sse' ? dataOf(event.toString()) : event.toString().trim();
  if (data === '') return 0n;
  if (pointer === undefined) return 1n;
  let value: unknown;
  try {
    value = resolvePointer(JSON.parse(data), pointer);
  } catch {
    return 0n;
  }
  if (value === undefined || value === null) return 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  return typeof value === 'string' && /^[0-9]{1,30}$/.test(value) ? BigInt(value) : undefined;
}

function dataOf(event: string): string {
  const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
  return lines
    .map((line) => line.slice('data:'.length))
    .join('\n')
    .trim();
}

/** Adds up what the events of one stream say. */
export class EventCount {
  private value: bigint | undefined = 0n;

  constructor(
    readonly fact: EventsFact,
    private readonly format: StreamFormat,
  ) {}

  /** What it comes to with this event; `undefined` once a figure could not be read. */
  with(event: Buffer): bigint | undefined {
    const figure = figureOf(event, this.format, this.fact.pointer?.tokens);
    if (figure === undefined || this.value === undefined) return undefined;
    if (this.fact.aggregation === 'sum') return this.value + figure;
    if (figure < this.value) return this.value;
    return figure;
  }

  add(event: Buffer): void {
    this.value = this.with(event);
  }

  /** See `EventsFact`. */
  get reading(): string {
    return this.value === undefined ? UNREADABLE : `${this.value}`;
  }
}

/** The reading of a body that is there whole. */
export function eventsIn(body: Buffer | undefined, contentType: string | null | undefined, fact: EventsFact): string {
  const format = streamFormat(contentType);
  if (body === undefined || format === undefined) return ABSENT;
  const count = new EventCount(fact, format);
  const splitter = new EventSplitter(format);
  for (const event of [...splitter.take(body), splitter.rest()]) count.add(event);
  return count.reading;
}
