import { parseChains } from './chain-settings.js';

const least = { network: 'eip155:8453', rpcUrls: ['https://a.example.com'] };
const token = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';

describe('the file of chains', () => {
  it('needs a network and a node', () => {
    expect(parseChains(JSON.stringify([least]))).toEqual([
      { ...least, confirmations: [{ from: '0', blocks: 1 }], tokens: [] },
    ]);
  });

  it('takes everything that can be said of a chain', () => {
    const confirmations = [
      { from: '0', blocks: 1 },
      { from: '0.5', blocks: 3 },
      { from: '100', blocks: 12 },
    ];
    const rpcUrls = ['https://a.example.com/key', 'http://b.example.com'];
    const all = { network: 'eip155:1', rpcUrls, confirmations, maxFeePerGasGwei: '1.5', tokens: [token] };
    const { maxFeePerGasGwei: _, ...same } = all;
    const chain = { ...same, maxFeePerGas: 1_500_000_000n, tokens: [token.toLowerCase()] };
    expect(parseChains(JSON.stringify([least, all]))).toEqual([expect.objectContaining(least), chain]);
  });

  const rules = (...from: unknown[]) => ({ confirmations: from.map((one) => ({ from: one, blocks: 1 })) });
  it.each([
    ['no JSON', '', undefined],
    ['no list', '', {}],
    ['no chain', '', []],
    ['no network', '[0].network', [{ rpcUrls: least.rpcUrls }]],
    ['a network that is no EVM chain', '[0].network', [{ ...least, network: 'solana:main' }]],
    ['a network twice', '[1].network', [least, least]],
    ['no node', '[0].rpcUrls', [{ ...least, rpcUrls: [] }]],
    ['a node of another protocol', '[0].rpcUrls[1]', [{ ...least, rpcUrls: ['http://a', 'ws://b'] }]],
    [
      'an unknown setting',
      '[1].confirmation',
      [
        { ...least, network: 'eip155:1' },
        { ...least, confirmation: 1 },
      ],
    ],
    ['amounts as numbers', '[0].confirmations[0].from', [{ ...least, ...rules(0) }]],
    ['amounts that do not begin at 0', '[0].confirmations', [{ ...least, ...rules('1') }]],
    ['amounts out of order', '[0].confirmations', [{ ...least, ...rules('0', '10', '9') }]],
    ['the same amount twice', '[0].confirmations', [{ ...least, ...rules('0', '0.5', '0.50') }]],
    ['no amount', '[0].confirmations[1].from', [{ ...least, ...rules('0', '1e3') }]],
    ['no block', '[0].confirmations[0].blocks', [{ ...least, confirmations: [{ from: '0', blocks: 0 }] }]],
    ['a fee of nothing', '[0].maxFeePerGasGwei', [{ ...least, maxFeePerGasGwei: '0' }]],
    ['a fee finer than a wei', '[0].maxFeePerGasGwei', [{ ...least, maxFeePerGasGwei: '0.0000000001' }]],
    ['a token that is no address', '[0].tokens[0]', [{ ...least, tokens: ['USDC'] }]],
  ])('with %s is refused, and the place named', (_what, place, chains) => {
    const parsed = parseChains(chains === undefined ? '[' : JSON.stringify(chains));
    expect(parsed).toEqual({ problems: [[place, expect.any(String)]] });
  });
});
