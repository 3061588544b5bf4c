import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChainUnavailable } from '../../src/base/chain/chain.js';
import { openChains } from '../../src/base/chain/chains.js';
import { plainChain } from '../../src/base/platform/chain-settings.js';
import type { Network } from '../../src/base/shared/hex.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';

const [EAST, WEST]: Network[] = ['eip155:101', 'eip155:202'];
let nodes: Server[] = [];

afterEach(async () => {
  await Promise.all(nodes.map((node) => new Promise((done) => node.close(done).closeAllConnections())));
  nodes = [];
});

/** A node that knows its chain and nothing else. */
async function node(chainId: number, port = 0): Promise<string> {
  const server = createServer(async (request, response) => {
    const sent = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const answers = [sent].flat().map(({ id, method }: { id: number; method: string }) => {
      const result = { eth_chainId: chainId, eth_blockNumber: 7 }[method];
      return { jsonrpc: '2.0', id, result: `0x${result?.toString(16)}` };
    });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(Array.isArray(sent) ? answers : answers[0]));
  });
  nodes.push(server);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function nobody(): Promise<{ readonly url: string; readonly port: number }> {
  const port = await freePort();
  return { url: `http://127.0.0.1:${port}`, port };
}

const away: Network[] = [];
const open = (...chains: [Network, ...string[]][]) => {
  away.length = 0;
  const settings = chains.map(([network, ...rpcUrls]) => plainChain(network, rpcUrls));
  return openChains(settings, (network) => away.push(network));
};

describe('the chains of an installation', () => {
  it('are known by their networks, in their order, and no other is', async () => {
    const chains = await open([WEST!, await node(202)], [EAST!, (await nobody()).url, await node(101)]);
    expect([...chains.keys()]).toEqual([WEST, EAST]);
    expect(await chains.get(EAST!)!.client.getChainId()).toBe(101);
    expect(chains.get('eip155:1')).toBeUndefined();
    expect(away).toEqual([]);
  });

  it('end the start if any node of any of them serves another one', async () => {
    const right = await node(101);
    const wrong = open([EAST!, right], [WEST!, (await nobody()).url, await node(101)]);
    await expect(wrong).rejects.toThrow('serves eip155:101, but eip155:202 is configured');
  });

  it('end the start if there is only one and it is away', async () => {
    await expect(open([EAST!, (await nobody()).url])).rejects.toThrow(ChainUnavailable);
  });

  it('begin without one that is away, which is not used before it has said that it is the right one', async () => {
    const { port, url } = await nobody();
    const chains = await open([EAST!, await node(101)], [WEST!, url]);
    expect(away).toEqual([WEST]);
    const { client } = chains.get(WEST!)!;
    await expect(client.getBlockNumber()).rejects.toThrow('no RPC node answers for chain 202');
    await node(101, port);
    await expect(client.getBlockNumber()).rejects.toThrow('no RPC node answers for chain 202');
    await new Promise((done) => nodes.pop()!.close(done).closeAllConnections());
    await node(202, port);
    // The first call may meet the connection of the other node.
    expect(await eventually(() => client.getBlockNumber({ cacheTime: 0 }))).toBe(7n);
  });
});
