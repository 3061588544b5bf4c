/**
 * The canonical form (RFC 8785) of what Postgres prints of a `jsonb`, without parsing its values: names are sorted anew
 * and blanks left out. Texts need nothing, Postgres escapes what RFC 8785 escapes. Numbers stay as they are stored, so
 * that 1.0, or an integer beyond 2^53, is never taken for its neighbour.
 */
export function canonicalJsonb(text: string): string {
  return new Reader(text).value();
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Trusts the form that Postgres prints: `": "` and `", "` between things, nothing else. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): string {
    switch (this.text.charCodeAt(this.at)) {
      case OPEN_OBJECT:
        return this.object();
      case OPEN_ARRAY:
        return this.array();
      case QUOTE:
        return this.string();
      default:
        return this.plain();
    }
  }

  private object(): string {
    const names: string[] = [];
    const members: string[] = [];
    let sorted = true;
    this.at++;
    while (this.text.charCodeAt(this.at) !== CLOSE_OBJECT) {
      if (names.length > 0) this.at += 2;
      const quoted = this.string();
      const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
      sorted &&= names.length === 0 || names[names.length - 1]! < name;
      this.at += 2;
      names.push(name);
      members.push(`${quoted}:${this.value()}`);
    }
    this.at++;
    if (!sorted) sortBy(names, members);
    return `{${members.join(',')}}`;
  }

  private array(): string {
    const items: string[] = [];
    this.at++;
    while (this.text.charCodeAt(this.at) !== CLOSE_ARRAY) {
      if (items.length > 0) this.at += 2;
      items.push(this.value());
    }
    this.at++;
    return `[${items.join(',')}]`;
  }

  private string(): string {
    const start = this.at;
    let end = start;
    do end = this.text.indexOf('"', end + 1);
    while (this.isEscaped(end));
    this.at = end + 1;
    return this.text.slice(start, this.at);
  }

  /** After an odd number of backslashes. */
  private isEscaped(place: number): boolean {
    let before = place - 1;
    while (this.text.charCodeAt(before) === BACKSLASH) before--;
    return (place - before) % 2 === 0;
  }

  /** A number, `true`, `false` or `null`. */
  private plain(): string {
    const start = this.at;
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_ARRAY) break;
    }
    return this.text.slice(start, this.at);
  }
}

/** Sorts both lists by the first, by UTF-16 code units. By insertion: there are few, and they are almost in order. */
function sortBy(names: string[], members: string[]): void {
  for (let next = 1; next < names.length; next++) {
    const [name, member] = [names[next]!, members[next]!];
    let place = next;
    for (; place > 0 && names[place - 1]! > name; place--) {
      names[place] = names[place - 1]!;
      members[place] = members[place - 1]!;
    }
    names[place] = name;
    members[place] = member;
  }
}
