import type { ServerResponse } from 'node:http';

export interface DemoRequest {
  /** Fresh for every run of a handler, so that executions can be told apart. */
  readonly runId: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

export type DemoHandler = (request: DemoRequest, reply: ServerResponse) => void | Promise<void>;

/** @param body JSON text of ASCII characters */
export function sendJson(reply: ServerResponse, status: number, body: string): void {
  reply.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  reply.end(body);
}

/** The JSON object of a body, or an empty one. */
export function jsonBody(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
