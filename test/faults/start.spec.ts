import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { enginePids, removeData } from '../embedded/support.js';
import { startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { expectBooksInOrder, payments } from './books.js';
import { introduce, present, sign } from './customer.js';
import { open, openSite, type Site } from './site.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const WELL_KNOWN_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(150_000);

let site: Site;
const folders: string[] = [];

beforeAll(async () => {
  site = await openSite();
});
afterAll(async () => {
  await site?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface Run {
  readonly code: number | null;
  readonly output: string;
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tollbook-start-'));
  folders.push(folder);
  return folder;
}

/** Runs the start until it ends. `during` is told what it printed so far, each time it prints. */
async function runMain(
  env: Readonly<Record<string, string>>,
  root = ROOT,
  during: (output: string, interrupt: () => void) => void = () => undefined,
): Promise<Run> {
  const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
  const child = spawn(process.execPath, [join(root, 'dist', 'main.js')], {
    cwd: root,
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', ...ports, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      during(output, () => child.kill('SIGINT'));
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, output };
}

describe('a start', () => {
  it('says how long it took and where everything answers, to its owner only', async () => {
    expect(site.main.output()).toMatch(/Tollbook ready: .*\(after \d+\.\d s\)/);
    const file = join(site.main.dataDir, 'endpoints.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const urls = { gateway: 'http://', control: 'http://127.0.0.1:', chain: 'http://127.0.0.1:' };
    const { chains, ...endpoints } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
    expect(Object.keys(endpoints).sort()).toEqual(['adminKey', 'chain', 'control', 'gateway', 'postgres', 'redis']);
    expect(chains).toEqual([{ network: 'eip155:84532', rpcUrls: [endpoints.chain] }]);
    for (const [name, start] of Object.entries(urls)) expect(endpoints[name]).toContain(start);
    expect(endpoints.postgres).toMatch(/^postgres:\/\/.*@127\.0\.0\.1:\d+\//);
    expect(endpoints.redis).toMatch(/^redis:\/\/.*@127\.0\.0\.1:\d+/);
  });

  it('shows the control plane to this machine only', async () => {
    // On Linux all of 127.0.0.0/8 is this machine, but a server on 127.0.0.1 does not answer on 127.0.0.2.
    const elsewhere = (url: string) => fetch(url.replace(/127\.0\.0\.1|localhost/, '127.0.0.2'));
    expect((await elsewhere(`${site.main.gateway}/health/live`)).status).toBe(200);
    await expect(elsewhere(`${site.main.control}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('on data that is in use says so and ends with 1', async () => {
    const { code, output } = await runMain({ TOLLBOOK_DATA_DIR: site.main.dataDir });
    expect(code).toBe(1);
    expect(output).toContain(`in use by a running Tollbook (process ${site.main.pid})`);
    expect(existsSync(join(site.main.dataDir, 'endpoints.json'))).toBe(true);
    expect((await introduce(site.main.gateway)).status).toBe(200);
  });

  it.each([
    ['a port that is no number', { PORT: 'http' }, 'PORT'],
    ['a role that there is not', { ROLE: 'manager' }, 'ROLE'],
    ['a database that is none', { DATABASE_URL: 'mysql://localhost/x' }, 'DATABASE_URL'],
    ['a file of chains that is not there', { TOLLBOOK_CHAINS: '/nowhere/chains.json' }, 'TOLLBOOK_CHAINS'],
    [
      'a well-known key on a real chain',
      { CHAIN_RPC_URL: 'http://127.0.0.1:1', TOLLBOOK_SIGNER_KEY: WELL_KNOWN_KEY },
      'TOLLBOOK_SIGNER_KEY',
    ],
  ])('with %s names the variable and ends with 1', async (_what, env, variable) => {
    const { code, output } = await runMain({ TOLLBOOK_DATA_DIR: await newFolder(), ...env } as Record<string, string>);
    expect(code).toBe(1);
    expect(output).toContain(variable);
    expect(output).not.toContain(WELL_KNOWN_KEY);
  });

  it.each([
    ['DATABASE_URL', 'postgres://tollbook:pass-word@127.0.0.1:1/tollbook'],
    ['REDIS_URL', 'redis://:pass-word@127.0.0.1:1'],
    ['CHAIN_RPC_URL', 'http://127.0.0.1:1/pass-word'],
  ])('names %s if nobody answers there, ends with 1 and leaves no engine behind', async (variable, url) => {
    const dataDir = await newFolder();
    const { code, output } = await runMain({ TOLLBOOK_DATA_DIR: dataDir, [variable]: url });
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining(`${variable}: `) });
    expect(output).not.toContain('pass-word');
    expect(await enginePids(dataDir)).toEqual([]);
    await removeData(dataDir);
  });

  it('on a port that is taken says so, ends with 1 and leaves no engine behind', async () => {
    const dataDir = await newFolder();
    const { code, output } = await runMain({ TOLLBOOK_DATA_DIR: dataDir, PORT: new URL(site.main.gateway).port });
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('Set PORT to another one') });
    // The ports are asked for before anything is started: there is not even a choice of engines yet.
    expect(existsSync(join(dataDir, 'engines.json'))).toBe(false);
    await rm(dataDir, { recursive: true });
  });

  it('can be interrupted while its engines start, and leaves none behind', async () => {
    const dataDir = await newFolder();
    const { code } = await runMain({ TOLLBOOK_DATA_DIR: dataDir }, ROOT, (output, interrupt) => {
      if (output.includes('Starting')) interrupt();
    });
    expect(code).toBe(0);
    expect(await enginePids(dataDir)).toEqual([]);
    await removeData(dataDir);
  });

  it('works from a folder that only its owner may enter', async () => {
    const folder = await newFolder();
    const root = join(folder, 'closed', 'tollbook');
    await mkdir(dirname(root), { mode: 0o700 });
    for (const part of ['dist', 'prisma', 'package.json']) {
      await cp(join(ROOT, part), join(root, part), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    const dataDir = join(root, '.tollbook');
    const { code, output } = await runMain({}, root, (text, interrupt) => {
      if (text.includes('Tollbook ready')) interrupt();
    });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Tollbook ready') });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    await removeData(dataDir);
  });
});

describe('Ctrl-C', () => {
  it('answers what is running, stops everything, and the next start continues', async () => {
    const { main, provider } = site;
    await open(main.gateway);
    const other = await startApp({ postgres: 'own' });
    const before = (await payments(main)).length;
    const tickets = await Promise.all([
      ...['/gate', '/stream', '/held', '/demo/slow'].map((path) => sign(main.gateway, path)),
      sign(main.gateway, '/demo/completions', { prompt: 'hello' }),
    ]);
    const answers = Promise.all(tickets.map((ticket) => present(main.gateway, ticket)));
    await eventually(() => provider.waiting() === 3);
    const stopping = performance.now();
    const stopped = main.kill('SIGINT');
    await eventually(() => main.output().includes('Stopping'));
    provider.setGate(true);
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await stopped;
    expect(main.exitCode()).toBe(0);
    expect(performance.now() - stopping).toBeLessThan(20_000);
    expect(await enginePids(main.dataDir)).toEqual([]);
    expect(existsSync(join(main.dataDir, 'endpoints.json'))).toBe(false);
    expect(existsSync(join(main.dataDir, 'lock.json'))).toBe(false);

    // Another Tollbook on another folder noticed nothing.
    expect((await present(other.gateway, await sign(other.gateway, '/demo/weather'))).status).toBe(200);
    await other.stop();

    await site.restart();
    expect((await payments(site.main)).length).toBe(before + 3);
    await expectBooksInOrder(site.main, site.payee);
  });
});
