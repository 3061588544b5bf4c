import { join } from 'node:path';
import { readEndpoints } from '../../base/embedded/endpoints.js';
import { loadConfig } from '../../base/platform/config.js';
import { AdminClient } from './admin-client.js';
import { agentAccount } from './agent-account.js';
import { buy, type DemoRequest, demoRequests, type Purchase } from './agent-buyer.js';
import { buyLater, laterFetch } from './agent-later.js';
import { type AgentOptions, parseAgentOptions } from './agent-options.js';
import { saveReceipts } from './agent-save.js';
import { renderPurchases, succeeded } from './agent-table.js';
import { runCommand, UsageError } from './command.js';

/** `npm run agent`: buys from the demo tenant as a stranger would. Exit code 0 if every call was paid and answered. */
async function main(): Promise<number> {
  const options = parseAgentOptions(process.argv.slice(2));
  const gateway = options.url ?? (await running()).gateway;
  await checkAlive(gateway);
  const purchases = await buyAll(gateway, options, await buyerOf(gateway, options));
  console.log(renderPurchases(purchases));
  if (options.receipts !== undefined) await keep(gateway, purchases, options.receipts);
  return purchases.every(succeeded) ? 0 : 1;
}

/** One purchase. */
type Buyer = (request: DemoRequest) => Promise<Purchase>;

async function buyerOf(gateway: string, { pay }: AgentOptions): Promise<Buyer> {
  if (pay === 'instant') return (request) => buy(gateway, request);
  const { adminKey, control, dataDir } = await running();
  const later = laterFetch(await agentAccount(dataDir, new AdminClient({ adminKey, control })));
  return (request) => buyLater(gateway, request, later);
}

async function running() {
  const { dataDir } = loadConfig(process.env);
  const endpoints = await readEndpoints(dataDir);
  if (endpoints?.gateway !== undefined) return { ...endpoints, gateway: endpoints.gateway, dataDir };
  throw new UsageError(`No Tollbook runs with its data in ${dataDir}: start one with "npm start", or say --url`);
}

async function checkAlive(gateway: string): Promise<void> {
  try {
    await fetch(new URL('/health/live', gateway));
  } catch {
    throw new UsageError(
      `Nothing answers at ${gateway}: start Tollbook with "npm start", or name a host that this machine finds`,
    );
  }
}

/** One after the other, so that the milliseconds in the table are those of one request. */
async function buyAll(gateway: string, { calls }: AgentOptions, buyer: Buyer): Promise<Purchase[]> {
  const purchases: Purchase[] = [];
  console.log(`Paying ${calls} requests at ${gateway}`);
  for (let call = 0; call < calls; call++) {
    const request = demoRequests[call % demoRequests.length]!;
    showProgress(`${call + 1}/${calls} ${request.method} ${request.path}`);
    purchases.push(await buyer(request));
  }
  showProgress('');
  return purchases;
}

async function keep(gateway: string, purchases: readonly Purchase[], folder: string): Promise<void> {
  try {
    const count = await saveReceipts(gateway, purchases, folder);
    console.log(`${count} receipts in ${folder}: npx tollbook-verify <file> --keys ${join(folder, 'jwks.json')}`);
  } catch (error) {
    throw new UsageError(`The receipts could not be kept in ${folder}: ${(error as Error).message}`);
  }
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}

await runCommand(main);
