import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Reply {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
}

const END_OF_HEAD = '\r\n\r\n';
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * One keep-alive HTTP/1.1 connection, one request at a time, from bytes made beforehand. The load generator shares two
 * cores with what it measures, and a general client would cost more per request than the fastest server here.
 */
export class Connection {
  private received: Buffer = Buffer.alloc(0);
  private settle: { resolve(reply: Reply): void; reject(error: Error): void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  static async open(url: URL): Promise<Connection> {
    const socket = connect(Number(url.port), url.hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  send(request: Buffer): Promise<Reply> {
    this.socket.write(request);
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = this.received.indexOf(END_OF_HEAD);
    if (headEnd < 0) return;
    const head = this.received.toString('latin1', 0, headEnd + 2);
    if (!this.isComplete(head, headEnd + END_OF_HEAD.length)) return;
    this.received = Buffer.alloc(0);
    this.settle?.resolve({ status: Number(head.slice(9, 12)), head });
  }

  private isComplete(head: string, bodyStart: number): boolean {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) return this.received.length >= bodyStart + Number(length);
    return this.received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
  }

  private fail(error: Error): void {
    this.settle?.reject(error);
    this.settle = undefined;
  }
}

/** The bytes of `GET` with extra header lines. */
export function getRequest(url: URL, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries({ host: url.host, accept: '*/*', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from(`GET ${url.pathname} HTTP/1.1\r\n${lines.join('\r\n')}${END_OF_HEAD}`);
}
