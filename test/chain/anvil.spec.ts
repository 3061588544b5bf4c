import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChainClient } from '../../src/base/chain/chain-client.js';
import { balanceOf } from '../../src/base/chain/token-calls.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { type Anvil, startAnvil } from '../../src/base/embedded/anvil.js';
import { ensureUsdc, TEST_ACCOUNTS, USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { processScript } from '../support/process-script.js';
import { mintUsdc } from '../support/usdc.js';
import { NETWORK, quiet, randomHex } from './support.js';

let folder: string;
let stateFile: string;
let running: Anvil[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollbook-anvil-'));
  stateFile = join(folder, 'state.json');
});
afterEach(async () => {
  await Promise.all(running.map((anvil) => anvil.stop()));
  running = [];
  await rm(folder, { recursive: true, force: true });
});

async function start(port?: number): Promise<Anvil> {
  const anvil = await startAnvil({ stateFile, port: port ?? (await freePort()), chainId: 84_532, log: quiet });
  running.push(anvil);
  return anvil;
}

async function balanceAt({ rpcUrl }: Anvil, account = TEST_ACCOUNTS[0]!): Promise<bigint> {
  const client = createChainClient({ rpcUrl });
  return balanceOf(client, await loadToken(client, NETWORK, USDC_ADDRESS), account);
}

/** The chain's processes on this state file. */
async function pids(): Promise<number[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(all.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return all.filter((_, index) => commands[index]!.split('\0').includes(stateFile)).map(Number);
}

it('keeps the chain over a restart', async () => {
  const first = await start();
  await ensureUsdc(first.rpcUrl, [TEST_ACCOUNTS[0]!]);
  const account = randomHex(20);
  await mintUsdc(first.rpcUrl, account, 5n);
  await first.stop();
  expect(await balanceAt(await start(), account)).toBe(5n);
});

it('comes back after kill -9 that left half a state file', async () => {
  const first = await start();
  await ensureUsdc(first.rpcUrl, [TEST_ACCOUNTS[0]!]);
  await first.stop();
  await (await start()).stop();
  await truncate(stateFile, 1_000);
  expect(await balanceAt(await start())).toBe(1_000_000_000_000n);
});

it('is started again when it is killed', async () => {
  const anvil = await start();
  const [killed] = await pids();
  process.kill(killed!, 'SIGKILL');
  await eventually(async () => (await pids()).some((pid) => pid !== killed));
  const client = createChainClient({ rpcUrl: anvil.rpcUrl });
  await eventually(async () => (await client.getChainId()) === 84_532);
});

it('starts an empty chain when no whole copy is left', async () => {
  await (await start()).stop();
  await truncate(stateFile, 10);
  await rm(`${stateFile}.good`, { force: true });
  const client = createChainClient({ rpcUrl: (await start()).rpcUrl });
  expect(await client.getBlockNumber()).toBe(0n);
});

it('stops the orphan of a killed parent before it starts', async () => {
  const port = await freePort();
  const script = processScript('test/support/start-anvil');
  const parent = spawn(process.execPath, [script, stateFile, String(port)]);
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const orphans = await pids();
  expect(orphans).toHaveLength(1);
  await start(port);
  expect(await pids()).not.toContain(orphans[0]);
});

it('refuses a port that somebody else uses', async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await expect(start(port)).rejects.toThrow(/in use/);
  } finally {
    server.close();
  }
});
