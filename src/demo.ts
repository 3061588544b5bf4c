import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { chainOf } from './base/chain/chains.js';
import { keySigner } from './base/chain/signer.js';
import { balanceOf } from './base/chain/token-calls.js';
import { isFree } from './base/embedded/ports.js';
import { mintCallData, sendAsAdmin, USDC_ADDRESS } from './base/embedded/usdc.js';
import type { Network } from './base/shared/hex.js';
import { PublishRoute, PublishTariff, RegisterTenant } from './domains/pricing/catalogue.decide.js';
import { type DemoTenant, demoTenant } from './domains/pricing/demo-tenant.js';
import { PricingModule } from './domains/pricing/pricing.module.js';
import { startDemoThread } from './edges/demo/upstream-thread.js';
import { type Runtime, RuntimeModule } from './runtime.js';

/** 1,000 USDC, in atomic units. */
const REFUND_MONEY = 1_000_000_000n;

/** Starts the API that the demo tenant sells and publishes its prices. Returns what stops it. */
export async function startDemo(runtime: Runtime): Promise<() => Promise<void>> {
  const secret = runtime.secrets.upstreamSecret.toString('hex');
  const upstream = await startDemoThread({ port: await lastPort(runtime), secret });
  const place = { upstream: upstream.url, upstreamSecret: secret, payee: runtime.secrets.demoPayee };
  await publish(runtime, demoTenant({ ...place, network: `eip155:${runtime.config.chainId}`, asset: USDC_ADDRESS }));
  await runtime.tokens.refresh();
  await fillRefundWallet(runtime);
  return () => upstream.stop();
}

/** So that refunds can be tried at once. On a chain of our own, money costs nothing. */
async function fillRefundWallet({ chains, config, secrets, tokens }: Runtime): Promise<void> {
  const [key] = secrets.refundKeys;
  const network: Network = `eip155:${config.chainId}`;
  const token = tokens.on(network)?.get(USDC_ADDRESS);
  if (key === undefined || token === undefined) return;
  const { client, settings } = chainOf(chains, network);
  const { address: wallet } = keySigner(key);
  if ((await balanceOf(client, token, wallet)) > 0n) return;
  await sendAsAdmin(settings.rpcUrls[0]!, [mintCallData(wallet, REFUND_MONEY)]);
}

/** The port of the last start if it is still free, so that a restart does not have to register another address. */
async function lastPort({ pool }: Runtime): Promise<number> {
  const { rows } = await pool.query<{ upstream: string }>("select upstream from tenants where id = 'demo'");
  const port = rows[0] ? Number(new URL(rows[0].upstream).port) : 0;
  return port !== 0 && (await isFree(port)) ? port : 0;
}

@Module({})
class SeedModule {
  static of(runtime: Runtime): DynamicModule {
    return { module: SeedModule, imports: [RuntimeModule.of(runtime), PricingModule] };
  }
}

async function publish(runtime: Runtime, { routes, tariffs, tenant }: DemoTenant): Promise<void> {
  const context = await NestFactory.createApplicationContext(SeedModule.of(runtime), { logger: ['error'] });
  const bus = context.get(CommandBus);
  await bus.execute(new RegisterTenant(tenant));
  for (const { id, rules, tenant: owner } of tariffs) await bus.execute(new PublishTariff(owner, id, rules));
  for (const route of routes) await bus.execute(new PublishRoute(route));
  await context.close();
}
