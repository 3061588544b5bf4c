import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { PayerState, Token } from '../../base/chain/chain.js';
import type { Address, Hex } from '../../base/shared/hex.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import { FloodGuard, type Presented, presented } from './flood-guard.js';
import type { PaidCall } from './paid-call.js';

const NOW = Date.UTC(2026, 10, 25);
const token: Token = {
  network: 'eip155:84532',
  address: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  name: 'USDC',
  version: '2',
  decimals: 6,
};
const account = privateKeyToAccount(generatePrivateKey());
const payer = account.address.toLowerCase() as Address;
const types = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const;
const authorization = {
  from: payer,
  to: `0x${'77'.repeat(20)}`,
  value: 1n,
  validAfter: 0n,
  validBefore: 1n,
  nonce: `0x${'01'.repeat(32)}`,
} as const;

let good: DecodedPayment;
const wrong = { authorization, signature: `0x${'11'.repeat(65)}` } as unknown as DecodedPayment;
const plain: PayerState = { balance: 1n, hasCode: false, blocked: false, readAt: NOW };
const contract: PayerState = { ...plain, hasCode: true };

beforeAll(async () => {
  const domain = { name: token.name, version: token.version, chainId: 84_532, verifyingContract: token.address };
  const message = { domain, types, primaryType: 'TransferWithAuthorization', message: authorization } as const;
  good = { authorization, signature: await account.signTypedData(message) } as unknown as DecodedPayment;
});

const from = (remoteAddress: string) =>
  ({ token, message: { socket: { remoteAddress }, headers: {} } }) as unknown as PaidCall;
const guardOf = () => new FloodGuard({ known: () => undefined }, undefined);
const other = (by: Presented): Presented => {
  const address: Hex = `0x${'99'.repeat(20)}`;
  return { ...by, payment: { ...by.payment, authorization: { ...authorization, from: address } } };
};

describe('what a signature says before anything is asked', () => {
  it.each([
    ['good', undefined, 'proven'],
    ['good', plain, 'proven'],
    ['good', contract, 'open'],
    ['wrong', undefined, 'open'],
    ['wrong', plain, 'wrong'],
    ['wrong', contract, 'open'],
  ] as const)('a %s one of a payer with state %o is %s', (which, known, proof) => {
    expect(presented(token, which === 'good' ? good : wrong, known).proof).toBe(proof);
  });
});

describe('the flood guard', () => {
  const asked = async () => 'asked';
  const flood = async (guard: FloodGuard, call: PaidCall, by: Presented, times = 400) => {
    let looked = 0;
    for (let count = 0; count < times; count++) if ('value' in (await guard.lookUp(call, by, NOW, asked))) looked++;
    return looked;
  };

  it('never holds up a known payer with a key of its own, whoever floods from its address in its name', async () => {
    const guard = guardOf();
    for (let count = 0; count < 1_000; count++) guard.overInvalid(from('192.0.2.1'), NOW);
    await flood(guard, from('192.0.2.1'), presented(token, wrong, undefined));
    expect(await flood(guard, from('192.0.2.1'), presented(token, good, plain), 10_000)).toBe(10_000);
  });

  it('lets an unknown payer with a good signature through where wrong ones used up their budget', async () => {
    const guard = guardOf();
    expect(await flood(guard, from('192.0.2.1'), presented(token, wrong, undefined))).toBe(300);
    expect(await flood(guard, from('192.0.2.1'), presented(token, good, undefined), 1)).toBe(1);
  });

  it('asks the chain for what may be a wallet so many times per address, and again in the next window', async () => {
    const guard = guardOf();
    const by = presented(token, wrong, undefined);
    expect(await flood(guard, from('192.0.2.1'), by)).toBe(300);
    expect(await flood(guard, from('192.0.2.2'), by)).toBe(300);
    expect(await guard.lookUp(from('192.0.2.1'), by, NOW + 9_999, asked)).toHaveProperty('over');
    expect(await guard.lookUp(from('192.0.2.1'), by, NOW + 10_000, asked)).toEqual({ value: 'asked' });
  });

  it('asks for no more than some unknown wallets at the same time', async () => {
    const guard = guardOf();
    const by = presented(token, wrong, undefined);
    let answer: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const first = Array.from({ length: 20 }, (_, n) => guard.lookUp(from(`192.0.2.${n}`), by, NOW, () => held));
    expect(await guard.lookUp(from('192.0.2.99'), by, NOW, asked)).toMatchObject({ over: { quota: 20 } });
    answer?.();
    await Promise.all(first);
    expect(await guard.lookUp(from('192.0.2.99'), by, NOW, asked)).toEqual({ value: 'asked' });
  });

  it('leaves a known wallet its budget if it is named from elsewhere, or its address names others', async () => {
    const guard = guardOf();
    const wallet = presented(token, wrong, contract);
    const here = from('192.0.2.1');
    for (let count = 0; count < 1_000; count++) {
      guard.failed(from('192.0.2.2'), wallet, NOW);
      guard.failed(here, other(wallet), NOW);
    }
    await flood(guard, here, presented(token, wrong, undefined));
    expect(await flood(guard, here, wallet, 1_000)).toBe(1_000);
    expect(await guard.lookUp(from('192.0.2.2'), wallet, NOW, asked)).toHaveProperty('over');
  });

  it('limits offers while payments are taken, and not when nobody pays', () => {
    const guard = guardOf();
    const ask = (now: number) => {
      let offers = 0;
      for (let count = 0; count < 30_000; count++) if (!guard.overOffers(from('192.0.2.1'), now)) offers++;
      return offers;
    };
    expect(ask(NOW)).toBe(30_000);
    guard.sound(NOW);
    expect(ask(NOW)).toBe(20_000);
    expect(guard.overOffers(from('192.0.2.2'), NOW)).toBeUndefined();
    expect(ask(NOW + 2_000)).toBe(30_000);
  });
});
