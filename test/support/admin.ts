import { type Reply, send } from './http.js';

export interface AdminCall {
  readonly method?: string;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the control plane's REST with the admin key. */
export function admin(
  app: { readonly control: string; readonly adminKey: string },
  path: string,
  { body, headers, method = 'GET' }: AdminCall = {},
): Promise<Reply> {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return send({
    url: `${app.control}/admin/v1${path}`,
    method,
    headers: {
      authorization: `Bearer ${app.adminKey}`,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: text,
  });
}
