import { type HttpAnswer, settleAnswerOf as readAnswer, versionsIn } from './facilitator-answer.js';

const NETWORK = 'eip155:84532';
const HASH = `0x${'ab'.repeat(32)}`;

const settleAnswerOf = (answer: HttpAnswer, network: typeof NETWORK, secrets: readonly string[] = []) =>
  readAnswer(answer, network, secrets);

function answered(body: unknown, status = 200): HttpAnswer {
  return { kind: 'answered', status, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

const ok = { success: true, transaction: HASH, network: NETWORK, payer: null };
const no = { success: false, errorReason: 'insufficient_funds', transaction: '', network: NETWORK };

describe('what a facilitator says about a settlement', () => {
  it.each([
    ['success', answered(ok), 'claimed'],
    ['success in the words of version 1', answered({ ...ok, network: 'base-sepolia' }), 'claimed'],
    ['success without a transaction', answered({ ...ok, transaction: '' }), 'claimed'],
    ['success with something else than a transaction', answered({ ...ok, transaction: '0x1' }), 'claimed'],
    ['success on another network', answered({ ...ok, network: 'eip155:8453' }), 'claimed'],
    ['success on no network', answered({ ...ok, network: null }), 'claimed'],
    ['success with an error', answered(ok, 502), 'unknown'],
    ['success with a redirect', answered(ok, 308), 'unknown'],
    ['success that is no boolean', answered({ ...ok, success: 'true' }), 'unknown'],
    ['a refusal', answered(no), 'refused'],
    ['a refusal as an error', answered(no, 402), 'refused'],
    ['a refusal with an error of its own', answered(no, 500), 'unknown'],
    ['a pending settlement', answered({ ...no, errorReason: 'settlement_pending' }), 'unknown'],
    ['an authorization that it says is used', answered({ ...no, errorReason: 'already settled' }), 'unknown'],
    ['a body that it does not take', answered('<h1>Bad Request</h1>', 400), 'refused'],
    ['a conflict', answered('', 409), 'unknown'],
    ['no JSON', answered('ok'), 'unknown'],
    ['nothing', answered(''), 'unknown'],
    ['a list', answered([ok]), 'unknown'],
    ['a broken answer', { kind: 'broken', detail: 'timeout' } as const, 'unknown'],
    ['no connection', { kind: 'unreachable', detail: 'ECONNREFUSED' } as const, 'unreachable'],
  ])('%s is %3$s', (_, answer, kind) => expect(settleAnswerOf(answer, NETWORK).kind).toBe(kind));

  it('names a transaction to look for only if it is on this network', () => {
    expect(settleAnswerOf(answered(ok), NETWORK)).toMatchObject({ transaction: HASH });
    expect(settleAnswerOf(answered({ ...ok, network: 'eip155:1' }), NETWORK)).toMatchObject({ transaction: undefined });
  });

  it('is cut, and fit for a log', () => {
    const said = settleAnswerOf(answered({ ...no, errorReason: `line\nline${'x'.repeat(500)}` }), NETWORK);
    expect(said).toEqual({ kind: 'refused', detail: expect.stringMatching(/^line\ufffdlinex{191}$/) });
  });
});

describe('the words of a facilitator that echoes what it was shown', () => {
  const key = 'tbf_0123456789abcdef';

  it.each([
    ['a refusal', answered({ ...no, errorReason: `bad key Bearer ${key}` })],
    ['a refusal in which the key is cut', answered({ ...no, errorReason: `${'x'.repeat(190)}${key}` })],
    ['a refusal with a key that never ends', answered({ ...no, errorReason: `${'x'.repeat(1_990)}${key}` })],
    ['a broken answer', { kind: 'broken', detail: `cannot read ${key}` } as const],
  ])('do not tell it: %s', (_, answer) => {
    const { detail } = readAnswer(answer, NETWORK, [`Bearer ${key}`]);
    expect(detail).not.toContain(key.slice(0, 8));
    expect(detail.length).toBeLessThanOrEqual(200);
  });
});

describe('what it says it can', () => {
  const kind = (x402Version: number, network: string, scheme = 'exact') => ({ x402Version, network, scheme });

  it.each([
    ['both versions', [kind(1, 'base-sepolia'), kind(2, NETWORK)], [2, 1]],
    ['one', [kind(1, 'base-sepolia'), kind(2, 'eip155:1')], [1]],
    ['every EVM chain', [kind(2, 'eip155:*')], [2]],
    ['another scheme', [kind(2, NETWORK, 'upto')], []],
    ['nothing', [], []],
  ])('%s', (_, kinds, versions) => expect(versionsIn(answered({ kinds }), NETWORK)).toEqual(versions));

  it('is not known if it says nothing that can be read', () => {
    expect(versionsIn(answered({ kinds: 'all' }), NETWORK)).toBeUndefined();
    expect(versionsIn(answered({ kinds: [] }, 401), NETWORK)).toBeUndefined();
    expect(versionsIn({ kind: 'broken', detail: '' }, NETWORK)).toBeUndefined();
  });
});
