import { plainChain } from '../../src/base/platform/chain-settings.js';
import { ChainTokens } from '../../src/domains/pricing/chain-tokens.js';
import { openShop, register, type Shop } from '../settlement/following.js';
import { log } from '../settlement/support.js';
import { type LocalChain, startLocalChain } from './support.js';

let chain: LocalChain;
let shop: Shop;

beforeAll(async () => {
  chain = await startLocalChain();
  shop = await openShop(chain);
});
afterAll(async () => {
  await shop.close();
  await chain.stop();
});

describe('the tokens of a chain', () => {
  it('have what a tenant was paid in before it went to another chain: its payments are still open there', async () => {
    const { client, rpcUrl, token } = chain;
    const elsewhere = { ...chain, token: { ...token, network: 'eip155:1' as const } };
    await register(shop, elsewhere, 'demo', shop.payee, 1);
    const tokens = new ChainTokens(shop.pool, { client, settings: plainChain(token.network, [rpcUrl]) }, log);
    await tokens.start();
    await tokens.stop();
    expect(tokens.get(token.address)).toEqual(token);
  });
});
