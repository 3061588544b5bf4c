/** A body or query as the processor's own package writes it: `payment_method_types[0]=card&metadata[order]=7`. */
export type Form = { [name: string]: FormValue };
export type FormValue = string | Form | FormValue[];

/** Names with brackets become objects, whole numbers in brackets the places of an array, empty brackets the next place. */
export function parseForm(text: string): Form {
  const form: Form = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [first = '', ...inner] = name.split('[').map((part) => part.replace(/\]$/, ''));
    put(form, first, inner, value);
  }
  return form;
}

function put(target: Form, name: string, inner: readonly string[], value: string): void {
  const [next, ...rest] = inner;
  if (next === undefined) {
    target[name] = value;
    return;
  }
  target[name] ??= /^\d*$/.test(next) ? [] : {};
  const child = target[name] as Form & FormValue[];
  put(child, next === '' ? String(child.length) : next, rest, value);
}

export function textOf(form: Form, name: string): string | undefined {
  const value = form[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function textsOf(form: Form, name: string): Record<string, string> {
  return (form[name] ?? {}) as Record<string, string>;
}
