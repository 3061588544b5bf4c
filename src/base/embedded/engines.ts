import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { privateKeyToAddress } from 'viem/accounts';
import { type ChainSettings, plainChain } from '../platform/chain-settings.js';
import type { Config } from '../platform/config.js';
import { readJson, writePrivateJson } from '../platform/private-file.js';
import type { Secrets } from '../platform/secrets.js';
import type { Address } from '../shared/hex.js';
import { startAnvil } from './anvil.js';
import { lockDataDir } from './data-dir.js';
import { removeEndpoints } from './endpoints.js';
import { type Mark, stopOrphans } from './orphans.js';
import { assertCanListen, choosePorts } from './ports.js';
import { startPostgres } from './postgres.js';
import { clusterFolder } from './postgres-files.js';
import { redisConfigFile, startRedis } from './redis.js';
import { ensureUsdc } from './usdc.js';

/** What Tollbook stands on, its own or the configured ones. */
export interface Engines {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly chains: readonly ChainSettings[];
  /** Stops what was started here: chain, Redis, Postgres, one after the other. Idempotent. */
  stop(): Promise<void>;
}

export interface EnginesOptions {
  readonly config: Config;
  readonly secrets: Pick<Secrets, 'settlerKeys'>;
  /** One line of progress for people. */
  log(line: string): void;
}

/** What `engines.json` in the data folder remembers between starts. */
interface EngineState {
  /** Names the Postgres cluster, which may lie outside the data folder. */
  readonly id: string;
  readonly ports: Partial<Record<EngineName, number>>;
  readonly postgresPassword: string;
  readonly redisPassword: string;
}

type EngineName = 'postgres' | 'redis' | 'chain';
interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts the engines that the configuration leaves to us, at once; resolves when all answer and the chain has its
 * token. If one fails, the others are stopped.
 *
 * @throws DataDirInUse if another Tollbook has its engines on this data folder; Error if a port of our own is taken
 */
export async function startEngines({ config, secrets, log }: EnginesOptions): Promise<Engines> {
  const { dataDir, embedded } = config;
  const names = (['postgres', 'redis', 'chain'] as const).filter((name) => embedded[name]);
  if (names.length === 0) {
    await assertOwnPorts(config);
    return engines(config, {}, async () => undefined);
  }
  const unlock = await lockDataDir(dataDir);
  // What a killed Tollbook left there would send its commands to engines that are gone.
  await removeEndpoints(dataDir);
  const running: Partial<Record<EngineName, Started>> = {};
  const stop = async () => {
    for (const name of ['chain', 'redis', 'postgres'] as const) await running[name]?.stop();
    await unlock();
  };
  try {
    await assertOwnPorts(config);
    const state = await loadState(dataDir);
    await stopOrphans(marks(dataDir, state.id), log);
    const ports = await choosePorts(names, state.ports, [config.port, config.adminPort]);
    await saveState(dataDir, { ...state, ports: { ...state.ports, ...ports } });
    const results = await Promise.allSettled(
      names.map(async (name) => {
        running[name] = await starters[name]({ config, secrets, log }, state, ports[name]);
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return engines(config, running, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Before the engines start, which takes seconds, and after the lock, whose message tells more about a second start. */
async function assertOwnPorts({ role, port, adminPort, adminHost }: Config): Promise<void> {
  if (role === 'all' || role === 'gateway') await assertCanListen('PORT', port);
  if (role === 'all' || role === 'control') await assertCanListen('ADMIN_PORT', adminPort, adminHost);
}

type Starter = (options: EnginesOptions, state: EngineState, port: number) => Promise<Started>;

const starters: Record<EngineName, Starter> = {
  postgres: ({ config: { dataDir }, log }, { id, postgresPassword: password }, port) =>
    startPostgres({ dataDir, id, port, password, log }),
  redis: ({ config: { dataDir }, log }, { redisPassword: password }, port) =>
    startRedis({ dataDir, port, password, log }),
  chain: async ({ config, secrets, log }, _state, port) => {
    log('Starting the chain…');
    const settlers = secrets.settlerKeys.map((key) => privateKeyToAddress(key).toLowerCase() as Address);
    const anvil = await startAnvil({
      stateFile: chainStateFile(config.dataDir),
      port,
      chainId: config.chainId,
      log,
      setUp: (rpcUrl) => ensureUsdc(rpcUrl, settlers),
    });
    return { url: anvil.rpcUrl, stop: () => anvil.stop() };
  },
};

/** How the engines of this data folder are recognised, should they have outlived their Tollbook. */
function marks(dataDir: string, id: string): Mark[] {
  return [
    { program: 'postgres', path: clusterFolder(dataDir, id), signal: 'SIGINT' },
    { program: 'redis-server', path: redisConfigFile(dataDir), signal: 'SIGTERM' },
    { program: 'anvil', path: chainStateFile(dataDir), signal: 'SIGTERM' },
  ];
}

function chainStateFile(dataDir: string): string {
  return join(dataDir, 'chain', 'state.json');
}

async function loadState(dataDir: string): Promise<EngineState> {
  const random = (bytes: number) => randomBytes(bytes).toString('hex');
  const fresh = { id: random(8), ports: {}, postgresPassword: random(24), redisPassword: random(24) };
  return (await readJson<EngineState>(stateFile(dataDir))) ?? fresh;
}

function saveState(dataDir: string, state: EngineState): Promise<void> {
  return writePrivateJson(stateFile(dataDir), state);
}

function stateFile(dataDir: string): string {
  return join(dataDir, 'engines.json');
}

function engines(
  { databaseUrl, redisUrl, chains, chainId }: Config,
  running: Partial<Record<EngineName, Started>>,
  stop: () => Promise<void>,
): Engines {
  let stopped: Promise<void> | undefined;
  return {
    databaseUrl: databaseUrl ?? running.postgres!.url,
    redisUrl: redisUrl ?? running.redis!.url,
    chains: chains ?? [plainChain(`eip155:${chainId}`, [running.chain!.url])],
    stop: () => (stopped ??= stop()),
  };
}
