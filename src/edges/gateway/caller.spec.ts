import type { IncomingMessage } from 'node:http';
import { createSIWxPayload, encodeSIWxHeader } from '@x402/extensions/sign-in-with-x';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { tenantWith } from '../../../test/support/publishing.js';
import { Problem } from '../../base/shared/problem.js';
import { CallerDesk } from './caller.js';
import { publicAddresses } from './public-address.js';

const NOW = Date.UTC(2026, 10, 25, 4, 0, 0, 123);
const PUBLIC_URL = 'https://pay.example.com';
const account = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const PAYER = account.address.toLowerCase();
const tenant = tenantWith({ id: 'demo', host: '*', upstream: 'http://upstream.test' });
const own = tenantWith({ id: 'own', host: 'own.example', upstream: 'http://upstream.test' });
const desk = new CallerDesk({
  keys: {
    find: async (id, route, key) =>
      id === 'demo' && key === 'tbk_good' ? { payer: `0x${'ab'.repeat(20)}`, inScope: route === 'weather' } : undefined,
  },
  addressOf: publicAddresses(PUBLIC_URL),
  clock: () => NOW,
});

const who = (headers: Record<string, string>, at = tenant, route = 'weather') =>
  desk.identify({ headers } as unknown as IncomingMessage, at, route);
const iso = (time: number) => new Date(time).toISOString();

/** Signed by the official client. */
async function signIn(changes: object = {}, signer: PrivateKeyAccount = account): Promise<string> {
  const challenge = {
    ...{ domain: 'pay.example.com', uri: `${PUBLIC_URL}/demo/weather`, version: '1', nonce: 'a1b2c3d4e5f60718' },
    ...{ chainId: 'eip155:84532', type: 'eip191' as const, issuedAt: iso(NOW - 1_000) },
    ...changes,
  };
  return encodeSIWxHeader(await createSIWxPayload(challenge, signer, challenge.uri));
}

function refusalOf(headers: Record<string, string>, at = tenant): unknown {
  try {
    return who(headers, at);
  } catch (error) {
    return error instanceof Problem ? [error.status, error.code] : error;
  }
}

describe('a caller', () => {
  it('need not say who it is', () => {
    expect(who({})).toBeUndefined();
  });

  it('may name a payer, without a proof', () => {
    expect(who({ 'tollbook-payer': account.address })).toEqual({ payer: PAYER, proven: false });
  });

  it('proves it with a key', async () => {
    expect(await who({ 'tollbook-key': 'tbk_good' })).toEqual({ payer: `0x${'ab'.repeat(20)}`, proven: true });
  });

  it('is refused with a key that is none', async () => {
    await expect(who({ 'tollbook-key': 'tbk_bad' })).rejects.toMatchObject({
      code: 'invalid_customer_key',
      status: 401,
    });
  });

  it('is refused with a key of another scope', async () => {
    await expect(who({ 'tollbook-key': 'tbk_good' }, tenant, 'forecast')).rejects.toMatchObject({
      code: 'key_out_of_scope',
      status: 403,
    });
  });

  it.each([
    ['no address', { 'tollbook-payer': '0x12' }],
    ['two addresses', { 'tollbook-payer': `${PAYER}, ${PAYER}` }],
    ['two ways', { 'tollbook-payer': PAYER, 'tollbook-key': 'tbk_good' }],
  ])('is asked again for %s', (_what, headers) => {
    expect(refusalOf(headers)).toEqual([400, 'invalid_request']);
  });
});

describe('a sign-in of a wallet', () => {
  it('by the official client proves the payer', async () => {
    expect(who({ 'sign-in-with-x': await signIn() })).toEqual({ payer: PAYER, proven: true });
    const full = {
      ...{ statement: 'Who calls', expirationTime: iso(NOW + 60_000), notBefore: iso(NOW - 60_000) },
      ...{ requestId: 'r-1', resources: [`${PUBLIC_URL}/demo`] },
    };
    expect(who({ 'sign-in-with-x': await signIn(full) })).toEqual({ payer: PAYER, proven: true });
  });

  it.each([
    ['for another host', { domain: 'evil.example.com', uri: 'https://evil.example.com/' }],
    ['for another chain', { chainId: 'eip155:8453' }],
    ['of too long ago', { issuedAt: iso(NOW - 300_001), expirationTime: iso(NOW + 60_000) }],
    ['of the future', { issuedAt: iso(NOW + 60_001) }],
    ['that has ended', { expirationTime: iso(NOW) }],
    ['that has not begun', { notBefore: iso(NOW + 1) }],
  ])('%s does not', async (_what, changes) => {
    expect(refusalOf({ 'sign-in-with-x': await signIn(changes) })).toEqual([401, 'invalid_sign_in']);
  });

  it('is good at the host of its tenant, and at no other tenant', async () => {
    const there = await signIn({ domain: 'own.example', uri: 'https://own.example/thing' });
    expect(who({ 'sign-in-with-x': there }, own)).toEqual({ payer: PAYER, proven: true });
    expect(refusalOf({ 'sign-in-with-x': there })).toEqual([401, 'invalid_sign_in']);
    expect(refusalOf({ 'sign-in-with-x': await signIn() }, own)).toEqual([401, 'invalid_sign_in']);
  });

  it('of which anything was changed does not', async () => {
    const header = await signIn({ statement: 'Who calls' });
    const payload = JSON.parse(Buffer.from(header, 'base64').toString()) as Record<string, string>;
    const other = privateKeyToAccount(`0x${'22'.repeat(32)}`);
    const changed = [
      { address: other.address },
      { nonce: 'a1b2c3d4e5f60719' },
      { issuedAt: iso(NOW) },
      { statement: 'Who pays' },
      { uri: `${PUBLIC_URL}/other` },
      { signature: payload.signature!.replace(/.{4}$/, (end) => (end === '001b' ? '001c' : '001b')) },
      { signature: '0x' },
      { version: '2' },
      { type: 'ed25519' },
    ];
    for (const change of changed) {
      const text = encodeSIWxHeader({ ...payload, ...change } as never);
      expect([change, refusalOf({ 'sign-in-with-x': text })]).toEqual([change, [401, 'invalid_sign_in']]);
    }
  });

  it.each(['', 'x', Buffer.from('{}').toString('base64'), Buffer.from('null').toString('base64'), 'A'.repeat(9_000)])(
    'that is none is refused: %.10s',
    (header) => {
      expect(refusalOf({ 'sign-in-with-x': header })).toEqual([401, 'invalid_sign_in']);
    },
  );
});
