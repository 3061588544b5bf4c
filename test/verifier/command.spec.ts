import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { issueLog, signer } from './issued.js';

const COMMAND = join(
  dirname(fileURLToPath(import.meta.url)),
  ...['..', '..', 'packages', 'verifier', 'bin', 'tollbook-verify.js'],
);
const folder = mkdtempSync(join(tmpdir(), 'tollbook-verify-'));
const log = issueLog(8, [9, 9]);
const settled = log.receipts[2]!;
const [sealed] = settled.proofs;
const forged = { ...settled, receipt: { ...settled.receipt, amount: '1' } };

const file = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const keys = file('jwks.json', signer.jwks());
const receipt = file('receipt.json', settled);
const seals = file(
  'seals.jsonl',
  log.seals.map(({ jws }, index) => `{"number":${index + 1},"jws":"${jws}"}\n`).join(''),
);

let server: Server;
let url: string;

beforeAll(async () => {
  const answers: Record<string, unknown> = {
    '/.well-known/jwks.json': signer.jwks(),
    '/receipts/good': settled,
    '/receipts/forged': forged,
  };
  server = createServer(({ url: path = '' }, response) => {
    const answer = answers[path] ?? { type: 'urn:tollbook:problem:not_found', status: 404, code: 'not_found' };
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]) {
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [code]] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'exit')]);
  return { code, output, errors };
}

async function read(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

describe('tollbook-verify', () => {
  it('says of each part that it holds', async () => {
    const { code, errors, output } = await run(receipt, '--keys', keys, '--seals', seals);
    expect(errors).toBe('');
    expect(code).toBe(0);
    expect(output.match(/^✓/gm)).toHaveLength(4 + 2 + settled.proofs.length + 5 + 2);
    expect(output).toContain(`${settled.receipt.payment}: settled, 1002 atomic units`);
    expect(output).not.toContain('✗');
  });

  it('says which part does not', async () => {
    const { code, output } = await run(file('forged.json', forged), '--keys', keys);
    expect(code).toBe(1);
    expect(output).toMatch(/^✗ signature +the receipt that can be read is not the one that was signed$/m);
    expect(output.trimEnd().split('\n').at(-1)).toMatch(/^NOT VERIFIED: 1 of \d+ checks failed$/);
    expect(output).not.toContain('atomic units');
  });

  it('says the same to a program', async () => {
    const good = JSON.parse((await run(receipt, '--keys', keys, '--json')).output);
    expect(good).toMatchObject({
      verified: true,
      checks: expect.arrayContaining([expect.objectContaining({ ok: true })]),
    });
    const bad = JSON.parse((await run(file('forged.json', forged), '--keys', keys, '--json')).output);
    expect(bad).toMatchObject({ verified: false, summaries: [] });
  });

  it('checks the proof of one event, with its data', async () => {
    const event = log.events.find(({ position }) => String(position) === sealed!.header.position)!;
    const document = { data: event.data, proof: sealed, seals: { [sealed!.seal]: settled.seals[sealed!.seal] } };
    const { code, output } = await run('--event', file('event.json', document), '--keys', keys);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/^✓ data/m);
    const changed = { ...document, data: { ...event.data, route: 'slow' } };
    expect((await run('--event', file('changed.json', changed), '--keys', keys)).code).toBe(1);
  });

  it('checks that a seal kept earlier is in the history of a later one', async () => {
    const [first, second] = log.seals.map(({ jws }) => jws);
    const document = { first, second, inclusion: [], consistency: [] };
    const shown = ['--consistency', file('consistency.json', document), '--keys', keys, '--seals', seals];
    const { code, errors, output } = await run(...shown);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain('seals 1 and 2 are of one history');
    const changed = { ...document, inclusion: [sealed!.header.digest] };
    const refused = await run('--consistency', file('inconsistency.json', changed), '--keys', keys);
    expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/^✗ inclusion/m) });
    expect(await run('--consistency', receipt, '--keys', keys)).toMatchObject({ code: 2 });
  });

  it('fetches what it checks only when it may', async () => {
    expect(await run('--online', `${url}/receipts/good`)).toMatchObject({ code: 0 });
    expect(await run('--online', `${url}/receipts/forged`)).toMatchObject({ code: 1 });
    expect(await run('--online', `${url}/receipts/none`)).toMatchObject({
      code: 2,
      errors: 'Nothing was verified: the receipt file is an error of the server: not_found\n',
    });
    expect(await run(`${url}/receipts/good`, '--keys', keys)).toMatchObject({ code: 2 });
    expect(await run('--online', 'http://127.0.0.1:1/receipts/good')).toMatchObject({ code: 2 });
  });

  it('takes pinned keys only', async () => {
    const [, thumbprint] = signer.kid.split('#');
    expect(await run('--online', `${url}/receipts/good`, '--key', thumbprint!)).toMatchObject({ code: 0 });
    expect(await run('--online', `${url}/receipts/good`, '--key', 'AAAAAAAAAAAAAAAA')).toMatchObject({
      code: 2,
      errors: 'Nothing was verified: none of the 1 keys is the pinned one\n',
    });
  });

  it.each<[string, string, string]>([
    ['a key set', JSON.stringify(signer.jwks()), 'is a key set: give it with --keys'],
    ['an offer', '{"x402Version":1,"accepts":[]}', 'is an offer: nothing has been paid'],
    ['an error', '{"status":404,"code":"not_found"}', 'is an error of the server: not_found'],
    ['a web page', '<!doctype html><p>404', 'is not JSON but looks like a web page'],
    ['a proof', JSON.stringify({ proof: sealed, seals: {} }), 'give it with --event'],
    ['nothing', '', 'is not JSON'],
    ['half a receipt', JSON.stringify(settled).slice(0, 900), 'is not JSON'],
    ['a list', '[]', 'holds no receipt'],
    ['brackets without end', '['.repeat(100_000) + ']'.repeat(100_000), 'is nested too deeply'],
    [
      'a receipt of tomorrow',
      JSON.stringify({ receipt: { type: 'tollbook-receipt', version: 2 } }),
      'newer than this verifier',
    ],
  ])('has a word for %s', async (_what, content, words) => {
    const { code, errors, output } = await run(file('other', content), '--keys', keys);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toContain(words);
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each<[string, string[], string]>([
    ['no file', [], 'What shall be checked?'],
    ['no keys', [receipt], 'Say --keys FILE'],
    ['two receipts', [receipt, receipt, '--keys', keys], 'One receipt at a time'],
    ['an unknown flag', [receipt, '--quick'], '--quick'],
    ['no such file', ['gone.json', '--keys', keys], 'there is no file gone.json'],
    ['a folder', [folder, '--keys', keys], 'cannot be read (EISDIR)'],
    ['keys that are none', [receipt, '--keys', receipt], 'is not a JWK set'],
  ])('explains itself for %s', async (_what, args, words) => {
    const { code, errors } = await run(...args);
    expect(code).toBe(2);
    expect(errors).toContain(words);
    expect(errors).not.toContain('    at ');
  });

  it('does not let a file steer the terminal', async () => {
    const loud = { ...settled, receipt: { ...settled.receipt, payment: 'pay_\u001b[2J\u202e' } };
    const { code, output } = await run(file('loud.json', loud), '--keys', keys);
    expect(code).toBe(1);
    for (const control of ['\u001b', '\u202e']) expect(output).not.toContain(control);
  });
});
