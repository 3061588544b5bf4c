import { z } from 'zod';
import type { StoredEvent } from './event.js';

/** What a stored event of one type and schema version looks like, for ever. */
export interface EventShape {
  readonly type: string;
  readonly schema: number;
  /** Name of its stream, as in `payment/{payment}`; a part in braces is any text without a slash. */
  readonly stream: string;
  /** When it is written: one sentence for readers of docs/events. */
  readonly when: string;
  readonly data: z.ZodType;
}

interface TypedEvent {
  readonly type: string;
  readonly schema: number;
  readonly data: object;
}

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * Declares the shape of `E`. Does not compile unless the schema parses to exactly the type of `E`'s data, so that
 * neither can change alone.
 */
export function shapeOf<E extends TypedEvent>() {
  return <D extends z.ZodType>(shape: {
    readonly type: E['type'];
    readonly schema: E['schema'];
    readonly stream: string;
    readonly when: string;
    readonly data: D & (Same<Mutable<z.output<D>>, Mutable<E['data']>> extends true ? unknown : 'not the type of data');
  }): EventShape => shape;
}

/** What `shapeChecker` looks at. */
export type Shaped = Pick<StoredEvent, 'type' | 'schema' | 'stream' | 'data'>;

/**
 * Checks stored events, as they were written, against their shapes: `undefined` if an event fits, else what is wrong
 * with it. It names fields, never what is in them. For audits, not for the path of a request.
 */
export function shapeChecker(shapes: readonly EventShape[]): (event: Shaped) => string | undefined {
  const known = new Map(shapes.map((shape) => [keyOf(shape), { ...shape, pattern: streamPattern(shape.stream) }]));
  if (known.size < shapes.length) throw new Error('two shapes have the same type and schema version');
  return (event) => {
    const shape = known.get(keyOf(event));
    if (!shape) return `${event.type} has no shape in schema version ${event.schema}`;
    if (!shape.pattern.test(event.stream)) return `${event.type} does not belong into stream ${event.stream}`;
    const parsed = shape.data.safeParse(event.data);
    return parsed.success ? undefined : `${event.type}: ${problemsOf(parsed.error)}`;
  };
}

function keyOf({ schema, type }: Pick<EventShape, 'type' | 'schema'>): string {
  return `${type} ${schema}`;
}

function problemsOf({ issues }: z.ZodError): string {
  return issues
    .map(({ code, path }) => `${path.length > 0 ? path.map(String).join('.') : 'data'} (${code})`)
    .join(', ');
}

function streamPattern(stream: string): RegExp {
  return new RegExp(`^${stream.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
