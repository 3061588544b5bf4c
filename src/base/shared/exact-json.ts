/** A number that a JavaScript number would not print as it was written: its digits. */
export class NumberText {
  constructor(readonly text: string) {}
}

export type ExactJson =
  | string
  | number
  | boolean
  | null
  | NumberText
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson };

/** What is wrong with a text that should be JSON. */
export class JsonFault extends Error {}

const MAX_DEPTH = 32;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON without losing anything: numbers keep their digits. Refused is what two readers could read differently or a
 * database cannot hold: what is no UTF-8, a name twice in an object, NUL, half of a surrogate pair, `__proto__` as a name.
 *
 * @throws JsonFault
 */
export function parseExactJson(bytes: Uint8Array): ExactJson {
  try {
    const text = utf8.decode(bytes);
    const value = JSON.parse(text) as ExactJson;
    // As JSON.stringify writes it, as most clients do: then nothing was lost.
    if (!text.includes('\\u') && !text.includes('__proto__') && JSON.stringify(value) === text) return value;
    return new Reader(text).read();
  } catch (error) {
    if (error instanceof JsonFault) throw error;
    throw new JsonFault(
      error instanceof RangeError ? `is nested deeper than ${MAX_DEPTH} levels` : 'is no JSON in UTF-8',
    );
  }
}

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const WORD = /true|false|null/y;
const words = { true: true, false: false, null: null } as const;

/** Reads what is JSON for sure, as `JSON.parse` has seen it. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): ExactJson {
    return this.value(1);
  }

  private value(depth: number): ExactJson {
    if (depth > MAX_DEPTH) throw new JsonFault(`is nested deeper than ${MAX_DEPTH} levels`);
    switch (this.next()) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
      case 'f':
      case 'n':
        return words[this.take(WORD) as keyof typeof words];
      default:
        return this.number();
    }
  }

  private object(depth: number): ExactJson {
    const object: Record<string, ExactJson> = {};
    this.at++;
    while (this.next() !== '}') {
      if (this.text[this.at] === ',') {
        this.at++;
        this.next();
      }
      const name = this.string();
      if (name === '__proto__') throw new JsonFault('names a member __proto__');
      if (Object.hasOwn(object, name)) throw new JsonFault(`names ${JSON.stringify(name.slice(0, 50))} twice`);
      this.next();
      this.at++;
      object[name] = this.value(depth + 1);
    }
    this.at++;
    return object;
  }

  private array(depth: number): ExactJson {
    const items: ExactJson[] = [];
    this.at++;
    while (this.next() !== ']') {
      if (this.text[this.at] === ',') this.at++;
      items.push(this.value(depth + 1));
    }
    this.at++;
    return items;
  }

  private string(): string {
    const text = JSON.parse(this.take(STRING)) as string;
    if (text.includes('\0') || !text.isWellFormed()) throw new JsonFault('holds a NUL or half of a surrogate pair');
    return text;
  }

  private number(): number | NumberText {
    const text = this.take(NUMBER);
    return JSON.stringify(Number(text)) === text ? Number(text) : new NumberText(text);
  }

  /** Skips blanks; the character behind them. */
  private next(): string | undefined {
    this.take(BLANK);
    return this.text[this.at];
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }
}

/** Sorted names, no blanks, numbers as they were written. @throws JsonFault above 32 levels */
export function canonicalExact(value: ExactJson, depth = 1): string {
  if (value instanceof NumberText) return value.text;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (depth > MAX_DEPTH) throw new JsonFault(`is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return `[${value.map((item: ExactJson) => canonicalExact(item, depth + 1)).join(',')}]`;
  const object = value as { readonly [name: string]: ExactJson };
  let text = '';
  for (const name of Object.keys(object).sort()) {
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalExact(object[name]!, depth + 1)}`;
  }
  return `{${text}}`;
}
