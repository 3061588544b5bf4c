import 'reflect-metadata';
import { removeEndpoints, writeEndpoints } from './base/embedded/endpoints.js';
import { type Engines, startEngines } from './base/embedded/engines.js';
import { type Config, loadConfig } from './base/platform/config.js';
import { migrate } from './base/platform/migrate.js';
import { assertRedisAnswers } from './base/platform/redis-check.js';
import { loadSecrets, type Secrets } from './base/platform/secrets.js';
import { startDemo } from './demo.js';
import { naming } from './naming.js';
import { type RunningRole, startControl, startGateway, startWorker } from './roles.js';
import { openRuntime, type Runtime } from './runtime.js';

/** Everything started so far, to be stopped in the opposite order. */
type Stops = { readonly name: string; stop(): Promise<void> }[];

const say = (line: string): void => console.log(line);

async function start(stops: Stops): Promise<void> {
  const config = loadConfig(process.env);
  const secrets = await loadSecrets(config.dataDir, process.env);
  const engines = await startEngines({ config, secrets, log: say });
  stops.push({ name: 'engines', stop: () => engines.stop() });
  await naming(config.embedded.postgres ? 'Postgres' : 'DATABASE_URL', migrate(engines.databaseUrl, say));
  if (needsRedis(config)) await naming('REDIS_URL', assertRedisAnswers(engines.redisUrl));
  const runtime = await openRuntime({ ...config, ...urlsOf(engines) }, secrets);
  stops.push({ name: 'connections', stop: () => runtime.close() });
  if (config.embedded.chain) stops.push({ name: 'demo upstream', stop: await startDemo(runtime) });
  for (const role of rolesOf(config)) stops.push({ name: 'role', ...(await role(runtime)) });
  await announce(config, engines, secrets, stops);
}

/** Only workers have queues; a Redis of our own has answered already. */
function needsRedis({ embedded, role }: Config): boolean {
  return !embedded.redis && (role === 'all' || role === 'worker');
}

function urlsOf({ chains, databaseUrl, redisUrl }: Engines) {
  return { chains, databaseUrl, redisUrl };
}

/** The worker starts first and stops last, so that requests that wait for settlement get it while they drain. */
function rolesOf({ role }: Config): readonly ((runtime: Runtime) => Promise<RunningRole>)[] {
  const roles = { worker: startWorker, control: startControl, gateway: startGateway };
  return role === 'all' ? [startWorker, startControl, startGateway] : [roles[role]];
}

async function announce(config: Config, engines: Engines, secrets: Secrets, stops: Stops): Promise<void> {
  const gateway = `http://localhost:${config.port}`;
  const control = `http://${config.adminHost}:${config.adminPort}`;
  const { databaseUrl: postgres, redisUrl: redis } = engines;
  const chains = engines.chains.map(({ network, rpcUrls }) => ({ network, rpcUrls }));
  const chain = chains[0]!.rpcUrls.join(',');
  await writeEndpoints(config.dataDir, {
    gateway,
    control,
    postgres,
    redis,
    chain,
    chains,
    adminKey: secrets.adminKey,
  });
  stops.push({ name: 'endpoints', stop: () => removeEndpoints(config.dataDir) });
  say(`Tollbook ready: gateway ${gateway}, control ${control} (after ${process.uptime().toFixed(1)} s)`);
  if (!config.embedded.chain || config.role !== 'all') return;
  say(`Try: curl -i ${gateway}/demo/weather, or pay for it: npm run agent -- --calls 5`);
}

/** @param started settles when everything is started or the start has failed; only then is there an order to stop in */
function stopOnSignals(stops: Stops, started: Promise<unknown>): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    // Ctrl-C reaches a process more than once when npm passes it on; once is enough.
    if (stopping) return;
    stopping = true;
    say('Stopping…');
    await started;
    process.exit(await stopAll(stops));
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
}

/** The exit code: 0 if everything stopped cleanly. */
async function stopAll(stops: Stops): Promise<number> {
  let code = 0;
  for (const one of stops.splice(0).reverse()) {
    try {
      await one.stop();
    } catch (error) {
      console.error(`${one.name} did not stop cleanly: ${(error as Error).message}`);
      code = 1;
    }
  }
  return code;
}

const stops: Stops = [];
const started = start(stops).catch(async (error: Error) => {
  console.error(error.message);
  await stopAll(stops);
  process.exit(1);
});
stopOnSignals(stops, started);
