/**
 * Does with the engines what the product's entry point does, for specs that kill it. Prints `ready {addresses}`; on
 * SIGINT asks the database something before it stops, as a server that drains would, and prints `drained`.
 */
import pg from 'pg';
import { startEngines } from '../../src/base/embedded/engines.js';
import { loadConfig } from '../../src/base/platform/config.js';
import { loadSecrets } from '../../src/base/platform/secrets.js';

async function answers(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('select 1');
  await client.end();
}

try {
  const config = loadConfig(process.env);
  const secrets = await loadSecrets(config.dataDir, process.env);
  const { chains, stop, ...rest } = await startEngines({ config, secrets, log: console.log });
  const urls = { ...rest, chainRpcUrl: chains[0]!.rpcUrls[0] };
  process.on('SIGINT', async () => {
    await answers(urls.databaseUrl);
    console.log('drained');
    await stop();
    process.exit();
  });
  console.log(`ready ${JSON.stringify(urls)}`);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
