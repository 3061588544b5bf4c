import { connect } from 'node:net';

export interface RawReply {
  /** 0: the connection was closed without a reply. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const ANSWER_MS = 10_000;

/** Sends bytes as they are, on a connection of its own, and reads until it is closed. Ask for `Connection: close`. */
export function sendRaw(url: string, bytes: string | Buffer): Promise<RawReply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) });
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer to ${bytes.toString().slice(0, 200)}`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', (failed) => failed || resolve(parse(Buffer.concat(chunks).toString('latin1'))));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A server that answers and closes while we still send resets the connection; what it said counts.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        resolve(parse(Buffer.concat(chunks).toString('latin1')));
      else reject(error);
    });
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

function parse(text: string): RawReply {
  const end = text.indexOf('\r\n\r\n');
  const status = /^HTTP\/1\.1 ([0-9]{3})/.exec(text)?.[1];
  return { status: Number(status ?? 0), head: text.slice(0, Math.max(end, 0)), body: text.slice(end + 4) };
}
