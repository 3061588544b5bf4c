const HTML = /text\/html/i;

/**
 * Whether the caller would rather read a page than JSON (RFC 9110, section 12.5.1): it names `text/html`, with a
 * higher weight than `application/json`. Wildcards do not count, since every program sends them.
 */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !HTML.test(accept)) return false;
  const html = weightOf('text/html', accept);
  return html > 0 && html > weightOf('application/json', accept);
}

/** Weight 0..1 that the header gives to exactly this type; 0 if it does not name it. */
function weightOf(type: string, accept: string): number {
  for (const range of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
  }
  return 0;
}
