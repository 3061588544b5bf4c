import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, fetch as fetchVia } from 'undici';
import type { Token } from '../../base/chain/chain.js';
import { type Endpoints, readEndpoints } from '../../base/embedded/endpoints.js';
import type { ChainSettings } from '../../base/platform/chain-settings.js';
import { loadConfig } from '../../base/platform/config.js';
import { formatUnits } from '../../base/shared/money.js';
import { AdminClient } from './admin-client.js';
import { buy, type Way } from './agent-buyer.js';
import { succeeded } from './agent-table.js';
import { runCommand, UsageError } from './command.js';
import { parseSellOptions } from './sell-options.js';
import { amountOf, chainFor, type Published, publish, tokenOf } from './sell-publish.js';
import { complete, type Sale } from './sell-questions.js';
import { exampleOf, reachUpstream } from './sell-upstream.js';

const SERVED_MS = 10_000;
const PAUSE_MS = 100;

/** `npm run sell`: from an upstream's address to a priced route and a first test payment. Exit code 0 if it was paid. */
async function main(): Promise<number> {
  const options = parseSellOptions(process.argv.slice(2));
  const { dataDir } = loadConfig(process.env);
  const endpoints = await readEndpoints(dataDir);
  if (!endpoints) throw new UsageError(`No Tollbook runs with its data in ${dataDir}: start one with "npm start"`);
  const { stdin, stdout } = process;
  const sale = await complete(options, stdin.isTTY && stdout.isTTY ? { input: stdin, output: stdout } : undefined);
  const admin = new AdminClient(endpoints);
  await admin.find(`/tenants/${sale.tenant}`); // says so if it does not run any more
  const chain = chainFor(endpoints, sale.network);
  const token = await tokenOf(chain, sale.asset);
  const amount = amountOf(sale.price, token);
  const { isPrivate, status } = await reachUpstream(sale);
  say(`✓ ${sale.upstream} answers${status === undefined ? '' : ` ${status} to GET ${exampleOf(sale.path)}`}`);
  if (isPrivate) say('  It is on a private address, which its gateway may call from now on.');
  const published = await publish(admin, sale, token, amount, isPrivate, dataDir);
  say(`✓ tenant ${sale.tenant}, tariff and route ${published.route} are published`);
  const way = wayTo(endpoints.gateway, sale.host);
  await showOffer(sale, way, amount, token);
  const paid = await testPayment(endpoints.gateway, chain, sale, way, token);
  sayNext(endpoints, sale, published);
  return paid ? 0 : 1;
}

/** By the tenant's host name, whether or not it leads here already. */
function wayTo(gateway: string, host: string): Way {
  const { hostname, port, protocol } = new URL(gateway);
  const toGateway: LookupFunction = (_name, options, done) => lookup(hostname, options, done);
  const dispatcher = new Agent({ connect: { lookup: toGateway } });
  const via = (input: Parameters<typeof fetch>[0], init?: RequestInit) =>
    fetchVia(...undiciRequest(input, init, dispatcher)) as unknown as Promise<Response>;
  return { origin: `${protocol}//${host}${port ? `:${port}` : ''}`, fetch: via as typeof fetch };
}

/** The client may hand over a whole `Request` of the platform, which another fetch does not take. */
function undiciRequest(input: Parameters<typeof fetch>[0], init: RequestInit | undefined, dispatcher: Agent) {
  const request = new Request(input, init);
  const headers = Object.fromEntries(request.headers);
  const body = request.body === null ? {} : { body: request.body, duplex: 'half' as const };
  return [request.url, { method: request.method, headers, ...body, dispatcher }] as Parameters<typeof fetchVia>;
}

/** Gateways serve it a moment after it was published. @throws UsageError if none does */
async function showOffer({ method, path, tenant }: Sale, way: Way, amount: bigint, token: Token): Promise<void> {
  const url = way.origin + exampleOf(path);
  const price = String(amount);
  for (const end = performance.now() + SERVED_MS; performance.now() < end; await delay(PAUSE_MS)) {
    const reply = await way.fetch(url, { method }).catch((error: Error) => {
      throw new UsageError(`The gateway does not answer: ${error.message}`);
    });
    const text = await reply.text();
    const header = reply.headers.get('payment-required');
    if (reply.status !== 402 || header === null || !text.includes(`"maxAmountRequired":"${price}"`)) continue;
    say(`✓ ${method} ${url} asks for ${formatUnits(amount, token.decimals)} ${token.name}:`);
    say(`    HTTP/1.1 402 Payment Required\n    PAYMENT-REQUIRED: ${header.slice(0, 60)}…`);
    say(`    ${text.slice(0, 160)}…`);
    return;
  }
  throw new UsageError(`Published, but the gateway does not sell it: what does it log about tenant ${tenant}?`);
}

/** `true` also if none can be made: there is test money on a chain of this machine only. */
async function testPayment(
  gateway: string,
  { rpcUrls }: ChainSettings,
  sale: Sale,
  way: Way,
  token: Token,
): Promise<boolean> {
  if (!rpcUrls.every((url) => /^(?:localhost|127\.|\[::1\])/.test(new URL(url).hostname))) {
    say('– No test payment: this Tollbook settles on a public chain. Buy once with your own wallet.');
    return true;
  }
  const body = sale.method === 'GET' || sale.method === 'DELETE' ? undefined : {};
  const purchase = await buy(gateway, { method: sale.method, path: exampleOf(sale.path), body }, way);
  const { amount = 0n, error, milliseconds, receiptUrl, settlement, status } = purchase;
  if (!succeeded(purchase)) {
    say(`✗ The test payment did not work: ${error ?? settlement.state} (status ${status ?? 'none'}).`);
    say('  The price is published, and a buyer is charged only for answers that your API gives.');
    return false;
  }
  const price = `${formatUnits(amount, token.decimals)} ${token.name}`;
  say(`✓ The official client paid ${price} and got ${status} in ${Math.round(milliseconds)} ms (${settlement.state})`);
  if (receiptUrl) say(`  receipt: ${receiptUrl}`);
  return true;
}

function sayNext(
  { control, gateway }: Endpoints,
  sale: Sale,
  { keyFile, payee, route, upstreamSecret }: Published,
): void {
  say('\nWhat next:');
  say(`- The money goes to ${payee}.${keyFile ? ` Its key is in ${keyFile}: keep it, and show it to nobody.` : ''}`);
  if (upstreamSecret) say(`- The gateway signs what it tells your API with this secret, shown once: ${upstreamSecret}`);
  sayWay(gateway, sale);
  say(
    `- Another price: run this again, or PUT ${control}/admin/v1/tariffs/${sale.tenant}/${route} (docs/your-own-api.md).`,
  );
}

/** Browsers and curl take a name under localhost for this machine; name services often do not know it (RFC 6761, section 6.3). */
function sayWay(gateway: string, { host, method, path }: Sale): void {
  if (!host.endsWith('.localhost')) {
    if (!isIP(host)) say(`- Point ${host} to ${gateway} for buyers elsewhere.`);
    return;
  }
  const url = gateway + exampleOf(path);
  say(`- curl and browsers find ${host}. Where it is not found, as by Node on many machines, name the host yourself:`);
  say(`    curl -i -X ${method} ${url} -H 'Host: ${host}'`);
  say(
    '  or sell with another --tenant under --host 127.0.0.1, which every program on this machine finds, and for buyers',
  );
  say(`  elsewhere under a host name of yours that leads to ${gateway}.`);
}

function say(line: string): void {
  console.log(line);
}

await runCommand(main);
