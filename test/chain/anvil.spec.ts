import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChainClient } from '../../src/base/chain/chain-client.js';
import { balanceOf } from '../../src/base/chain/token-calls.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { type Anvil, startAnvil } from '../../src/base/embedded/anvil.js';
import { ensureUsdc, TEST_ACCOUNTS, USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import { mintUsdc } from '../support/usdc.js';
import { freePort, NETWORK, quiet, randomHex } from './support.js';

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

async function pidOf(): Promise<number> {
  return Number(await readFile(`${stateFile}.pid`, 'utf8'));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('keeps the chain over a restart', async () => {
  const first = await start();
  await ensureUsdc(first.rpcUrl, TEST_ACCOUNTS[0]!);
  const account = randomHex(20);
  await mintUsdc(first.rpcUrl, account, 5n);
  await first.stop();
  expect(await balanceAt(await start(), account)).toBe(5n);
});

it('comes back after kill -9 that left half a state file', async () => {
  const first = await start();
  await ensureUsdc(first.rpcUrl, TEST_ACCOUNTS[0]!);
  await first.stop();
  await start();
  process.kill(await pidOf(), 'SIGKILL');
  await truncate(stateFile, 1_000);
  expect(await balanceAt(await start())).toBe(1_000_000_000_000n);
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
  await start(port);
  const orphan = await pidOf();
  await start(port);
  expect(alive(orphan)).toBe(false);
  expect(await pidOf()).not.toBe(orphan);
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
