/** So many characters in a row are no accident, and no use to whoever has fewer of a secret. */
const RUN = 8;
const BLANK = '\ufffd';

/**
 * Pure. The text with every eight characters in a row blanked that a secret has as well, whichever their case, so that neither a whole
 * secret nor a part of it is left. Of a secret that is shorter, the whole of it.
 * @param secrets each as it is shown: the scheme before it counts for nothing, and what is in a `Basic` one counts too
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const plain = lower(text);
  const blank = new Set<number>();
  for (const run of runsOf(secrets.flatMap(wordsOf))) {
    for (let at = plain.indexOf(run); at >= 0; at = plain.indexOf(run, at + 1)) {
      for (let index = at; index < at + run.length; index++) blank.add(index);
    }
  }
  return text
    .split('')
    .map((unit, index) => (blank.has(index) ? BLANK : unit))
    .join('');
}

/** `Bearer abc` has one, `abc`. */
function wordsOf(secret: string): string[] {
  const words = secret.split(/\s+/).filter((word) => word !== '');
  const [scheme, ...rest] = words;
  if (rest.length === 0) return words;
  if (!/^basic$/i.test(scheme!)) return rest;
  const opened = Buffer.from(rest[0]!, 'base64').toString();
  return [...rest, opened, opened.slice(opened.indexOf(':') + 1)];
}

function runsOf(words: readonly string[]): Set<string> {
  const runs = new Set<string>();
  for (const word of words.map(lower)) {
    if (word !== '' && word.length <= RUN) runs.add(word);
    for (let at = 0; at + RUN <= word.length; at++) runs.add(word.slice(at, at + RUN));
  }
  return runs;
}

/** Of ASCII only, so that nothing changes its length. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (one) => one.toLowerCase());
}
