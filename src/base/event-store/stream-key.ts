/** The log's index holds digests of the streams' names (docs/adr/0012); a condition must name both to be served by it. */

/** SQL: an event is of the stream in `$1`. */
export const ofStream = 'stream_key(stream) = stream_key($1) and stream = $1';

/** SQL: an event is of one of the streams in `$1`, a `text[]`. */
export const ofStreams = 'stream_key(stream) = any(stream_keys($1::text[])) and stream = any($1::text[])';

/** SQL: the events of alias `a` are of the stream that an expression names. */
export function ofSameStream(name: string): string {
  return `stream_key(a.stream) = stream_key(${name}) and a.stream = ${name}`;
}
