import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseChains } from '../../src/base/platform/chain-settings.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { fetchV2 } from '../support/buyer.js';
import { eventually } from '../support/eventually.js';
import { run } from '../support/run.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const DOCS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs');
/** The account that `npm run agent` pays from, which the pages name. */
const AGENT = 1;
const SEALED_MS = 20_000;

let app: App;
let upstream: CountingUpstream;
/** Where a reader types: a folder with the data folder in it. */
let folder: string;

beforeAll(async () => {
  upstream = await countingUpstream((_request, reply) => reply.end('found'));
  app = await startApp();
  folder = mkdtempSync(join(tmpdir(), 'tollbook-docs-'));
  symlinkSync(app.dataDir, join(folder, '.tollbook'));
});

afterAll(async () => {
  await app?.stop();
  await upstream?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(DOCS, page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].map((match) => ({ language: match[1]!, text: match[2]! }));
}

function type(script: string, env: Record<string, string> = {}) {
  return run('bash', ['-euo', 'pipefail', '-c', script.replaceAll('http://127.0.0.1:9000', upstream.url)], {
    cwd: folder,
    env,
  });
}

function scriptOf(page: string): string {
  const steps = blocksOf(page).filter(({ language }) => language === 'sh');
  return steps.map(({ text }) => text).join('\n');
}

describe('docs/your-own-api.md', () => {
  it('sells by REST what it says it sells', async () => {
    const { code, output } = await type(scriptOf('your-own-api.md'));
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('HTTP/1.1 402 Payment Required');
    expect(output).toContain('"maxAmountRequired":"2000"');
    expect(output).toContain('"upstreamSecret"');
    const route = JSON.parse((await admin(app, '/routes/my-shop/search')).body);
    expect(route).toMatchObject({ description: 'Search', timeoutMs: 5000 });
  });
});

describe('docs/cookbook.md', () => {
  it('publishes a tariff, and a route that names it, wherever the data folder is', async () => {
    const { code, output } = await type(scriptOf('cookbook.md'), { TOLLBOOK_DATA_DIR: app.dataDir });
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(JSON.parse((await admin(app, '/routes/demo/lookup')).body)).toMatchObject({ tariff: 'lookup' });
  });
});

describe('README.md', () => {
  it('names a proof that there is once something was bought', async () => {
    const [path] = /\/seals\/consistency\?[\w=&]+/.exec(readFileSync(join(DOCS, '..', 'README.md'), 'utf8'))!;
    await fetchV2(AGENT)({ url: `${app.gateway}/demo/slow`, method: 'GET' });
    await eventually(async () => (await admin(app, path)).status === 200, SEALED_MS);
  });
});

describe('docs/rest.md', () => {
  const MARK = '\n=== the next block\n';
  const page = blocksOf('rest.md');
  /** Every block of commands, with what the page says comes back. */
  const examples = page.flatMap(({ language, text }, index) =>
    language === 'sh' ? [{ commands: text, answer: page[index + 1]! }] : [],
  );
  let answers: readonly string[];

  beforeAll(async () => {
    await fetchV2(AGENT)({ url: `${app.gateway}/demo/weather`, method: 'GET' });
    const { code, output } = await type(examples.map(({ commands }) => `${commands}printf '${MARK}'`).join('\n'));
    expect({ code, output }).toMatchObject({ code: 0 });
    answers = output.split(MARK);
  });

  it('has an answer to every block but the one that only names things', () => {
    const [names, ...rest] = examples;
    expect(names!.commands).toContain('tollbook() {');
    expect(rest.filter(({ answer }) => answer.language === 'sh')).toEqual([]);
    expect(rest.length).toBeGreaterThanOrEqual(15);
  });

  it('names chains as TOLLBOOK_CHAINS takes them', () => {
    expect(parseChains(readFileSync(join(folder, 'chains.json'), 'utf8'))).toHaveLength(2);
    const [, readme] = /```json\n(\[.*?\])\n```/s.exec(readFileSync(join(DOCS, '..', 'README.md'), 'utf8'))!;
    expect(parseChains(readme!)).toHaveLength(2);
  });

  it.each(
    examples.map(({ answer, commands }, index) => [commands.trim().split('\n')[0]!, answer, index] as const).slice(1),
  )('%s gives what the page says', (_commands, { language, text }, index) => {
    const answer = answers[index]!;
    if (language === 'json') expect(JSON.parse(answer)).toEqual(expected(JSON.parse(text)));
    else for (const line of text.trim().split('\n')) expect(answer).toMatch(patternOf(line));
  });
});

/** `…` is whatever comes. */
function expected(value: unknown): unknown {
  if (value === '…') return expect.anything();
  if (Array.isArray(value)) return value.map(expected);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expected(member)]));
}

function patternOf(line: string): RegExp {
  return new RegExp(`^${line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('…', '.*')}\\s*$`, 'm');
}
