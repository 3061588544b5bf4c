import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublicClient, createTestClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { decodeFacilitatorRequest, type FacilitatorRequest } from '../../src/base/x402/facilitator.js';

const NETWORK = 'eip155:84532';
const DRIP_MS = 20;

export const behaviours = [
  'settles',
  'settles twice',
  'settles, then times out',
  'settles, then answers 502',
  'settles, then breaks off',
  'refuses, then settles',
  'says success without a transaction',
  'says success with a transaction of something else',
  'says success with a transaction that nobody knows',
  'says success on another network',
  'says that it is settled already',
  'redirects',
  'drips',
  'talks without end',
  'never answers',
  'refuses',
  'answers 500',
  'breaks off',
] as const;
export type Behaviour = (typeof behaviours)[number];

/** A facilitator with a real key on a real chain, that does what it is told to, and not what it should. */
export class HostileFacilitator {
  behaviour: Behaviour;
  /** Bodies of `/settle`, and what was shown with them. */
  readonly asked: { readonly body: unknown; readonly authorization: string | undefined }[] = [];
  /** Requests that followed a redirect. */
  followed = 0;
  kinds: object[] | undefined;
  /** What it does for who shows this, in place of that. */
  readonly behaviourFor = new Map<string | undefined, Behaviour>();
  private readonly account = privateKeyToAccount(`0x${randomBytes(32).toString('hex')}`);
  private readonly server: Server;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly rpcUrl: string,
    behaviour: Behaviour,
  ) {
    this.behaviour = behaviour;
    this.server = createServer((request, reply) => void this.serve(request, reply).catch(() => reply.destroy()));
  }

  static async start(rpcUrl: string, behaviour: Behaviour): Promise<HostileFacilitator> {
    const facilitator = new HostileFacilitator(rpcUrl, behaviour);
    const node = createTestClient({ mode: 'anvil', transport: http(rpcUrl) });
    await node.setBalance({ address: facilitator.account.address, value: 10n ** 20n });
    await new Promise<void>((resolve) => facilitator.server.listen(0, '127.0.0.1', resolve));
    return facilitator;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/x402`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/elsewhere') this.followed++;
    if (request.url === '/x402/supported') return send(reply, 200, { kinds: this.kinds, extensions: [], signers: {} });
    if (request.url !== '/x402/settle') return send(reply, 404, {});
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    this.asked.push({ body, authorization: request.headers.authorization });
    const { authorization } = request.headers;
    await this.settle(body as never, this.behaviourFor.get(authorization) ?? this.behaviour, reply);
  }

  private async settle(body: never, behaviour: Behaviour, reply: ServerResponse): Promise<void> {
    const said = decodeFacilitatorRequest(body);
    if ('reason' in said) return send(reply, 400, { success: false, errorReason: said.reason });
    const refusal = { success: false, errorReason: 'unexpected_settle_error', transaction: '', network: NETWORK };
    const success = (transaction: string, network = NETWORK) => ({ success: true, transaction, network });
    switch (behaviour) {
      case 'settles':
        return send(reply, 200, success(await this.broadcast(said)));
      case 'settles twice': {
        const first = await this.broadcast(said);
        await this.broadcast(said);
        return send(reply, 200, success(first));
      }
      case 'settles, then times out':
        await this.broadcast(said);
        return;
      case 'settles, then answers 502':
        await this.broadcast(said);
        return send(reply, 502, '<h1>Bad Gateway</h1>');
      case 'settles, then breaks off':
        await this.broadcast(said);
        reply.destroy();
        return;
      case 'refuses, then settles':
        send(reply, 200, refusal);
        await this.broadcast(said);
        return;
      case 'says success without a transaction':
        return send(reply, 200, success(''));
      case 'says success with a transaction of something else':
        return send(reply, 200, success(await this.somethingElse()));
      case 'says success with a transaction that nobody knows':
        return send(reply, 200, success(`0x${randomBytes(32).toString('hex')}`));
      case 'says success on another network':
        return send(reply, 200, success(`0x${randomBytes(32).toString('hex')}`, 'eip155:8453'));
      case 'says that it is settled already':
        return send(reply, 200, { ...refusal, errorReason: 'duplicate_settlement' });
      case 'redirects':
        reply.writeHead(308, { location: '/elsewhere' }).end();
        return;
      case 'drips':
        return endless(reply, ' ', DRIP_MS);
      case 'talks without end':
        return endless(reply, ' '.repeat(65_536), 0);
      case 'never answers':
        return;
      case 'refuses':
        return send(reply, 200, refusal);
      case 'answers 500':
        return send(reply, 500, refusal);
      case 'breaks off':
        reply.destroy();
    }
  }

  /** Resolves when the transaction is in a block, whatever became of it there. One after the other, for the nonces. */
  private broadcast({ payment }: FacilitatorRequest): Promise<Hex> {
    const { authorization, signature } = payment;
    return this.inTurn({ to: this.tokenOf(payment), data: transferCallData({ authorization, signature }) });
  }

  private tokenOf(payment: FacilitatorRequest['payment']): Hex {
    return payment.x402Version === 2 ? payment.accepted.asset : '0x036cbd53842c5426634e7929541ec2318f3dcf7e';
  }

  private somethingElse(): Promise<Hex> {
    return this.inTurn({ to: this.account.address, data: '0x' });
  }

  private inTurn(call: { readonly to: Hex; readonly data: Hex }): Promise<Hex> {
    const sent = this.turn.then(async () => {
      const wallet = createWalletClient({ account: this.account, transport: http(this.rpcUrl) });
      const client = createPublicClient({ transport: http(this.rpcUrl), pollingInterval: 50 });
      const hash = await wallet.sendTransaction({ ...call, chain: null, gas: 300_000n });
      await client.waitForTransactionReceipt({ hash });
      return hash;
    });
    this.turn = sent.catch(() => undefined);
    return sent;
  }
}

function send(reply: ServerResponse, status: number, body: unknown): void {
  if (reply.destroyed) return;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  reply.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json' }).end(text);
}

async function endless(reply: ServerResponse, piece: string, everyMs: number): Promise<void> {
  reply.writeHead(200, { 'content-type': 'application/json' });
  while (!reply.destroyed) {
    if (!reply.write(piece) && everyMs === 0) await sleep(1);
    await sleep(everyMs);
  }
}
