import type { Endpoints } from '../../base/embedded/endpoints.js';
import { UsageError } from './command.js';

const TIMEOUT_MS = 15_000;

interface Refusal {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer?: string; readonly detail: string }[];
}

export interface AdminAnswer {
  readonly status: number;
  readonly etag?: string;
  readonly body: Record<string, unknown>;
}

/** The control plane refused; `code` is the stable one of its problem document. */
export class AdminRefusal extends UsageError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The REST of the running Tollbook, as any program uses it. */
export class AdminClient {
  constructor(private readonly endpoints: Pick<Endpoints, 'control' | 'adminKey'>) {}

  /** `undefined` if there is no such resource. @throws AdminRefusal, UsageError */
  async find(path: string): Promise<AdminAnswer | undefined> {
    try {
      return await this.send('GET', path, {});
    } catch (error) {
      if (error instanceof AdminRefusal && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  /** @param standing what is replaced, as `find` gave it; without one it must not be there. @throws AdminRefusal, UsageError */
  put(path: string, body: object, standing?: AdminAnswer): Promise<AdminAnswer> {
    const condition: Record<string, string> =
      standing?.etag === undefined ? { 'if-none-match': '*' } : { 'if-match': standing.etag };
    return this.send('PUT', path, { 'content-type': 'application/json', ...condition }, JSON.stringify(body));
  }

  /** @param key of idempotency: the same one again makes nothing new. @throws AdminRefusal, UsageError */
  post(path: string, body: object, key: string): Promise<AdminAnswer> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    return this.send('POST', path, headers, JSON.stringify(body));
  }

  private async send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<AdminAnswer> {
    const { adminKey, control } = this.endpoints;
    const init = { method, body, headers: { authorization: `Bearer ${adminKey}`, ...headers } };
    const reply = await fetch(`${control}/admin/v1${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
      (cause: Error) => {
        throw new UsageError(`Nothing answers at ${control} (${cause.message}): start Tollbook with "npm start"`);
      },
    );
    const answer = (await reply.json().catch(() => ({}))) as Record<string, unknown>;
    if (reply.ok) return { status: reply.status, etag: reply.headers.get('etag') ?? undefined, body: answer };
    throw refusalOf(`${method} ${path}`, reply.status, answer);
  }
}

function refusalOf(what: string, status: number, { code = 'unknown', detail, errors, title }: Refusal): AdminRefusal {
  const faults = errors?.map((error) => `\n  ${error.pointer ?? ''} ${error.detail}`).join('');
  return new AdminRefusal(code, `${what} was refused (${status} ${code}): ${faults || (detail ?? title ?? '')}`);
}
