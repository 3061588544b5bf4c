/** A facilitator that says yes at once, so that the official middleware is measured at its best. */
import { createServer, type ServerResponse } from 'node:http';
import { listen } from './serve.js';

const NETWORK = 'eip155:84532';
const transaction = `0x${'00'.repeat(32)}`;
const payer = `0x${'00'.repeat(20)}`;
const replies: Record<string, string> = {
  '/supported': JSON.stringify({
    kinds: [{ x402Version: 2, scheme: 'exact', network: NETWORK }],
    extensions: [],
    signers: {},
  }),
  '/verify': JSON.stringify({ isValid: true, payer }),
  '/settle': JSON.stringify({ success: true, transaction, network: NETWORK, payer }),
};

function reply(response: ServerResponse, body: string | undefined): void {
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body);
}

const server = createServer((request, response) => {
  request.resume().once('end', () => reply(response, replies[request.url ?? '']));
});
await listen(server);
