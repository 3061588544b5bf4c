export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** JSON with sorted keys and no blanks (RFC 8785 for the values we use: strings, booleans, safe integers). */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return canonicalArray(value);
  const object = value as JsonObject;
  let text = '{';
  for (const key of Object.keys(object).sort()) {
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`;
  }
  return `${text}}`;
}

function canonicalArray(values: readonly Json[]): string {
  let text = '[';
  for (const value of values) {
    if (text.length > 1) text += ',';
    text += canonicalJson(value);
  }
  return `${text}]`;
}
