import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventStore } from './base/event-store/event-store.js';
import { ControlModule } from './control.module.js';
import { tenantWithKey } from './domains/customers/tenant-key.queries.js';
import { UsageIngestion } from './domains/metering/usage-ingestion.js';
import { CardAccounts } from './domains/settlement/cards/card-accounts.js';
import { CardDesk } from './domains/settlement/cards/card-desk.js';
import { takeCsv } from './edges/admin/csv-body.js';
import { takeEmptyJson } from './edges/admin/json-body.js';
import { createGatewayServer, sendFrameworkError } from './edges/gateway/http-server.js';
import { webhooksRoute } from './edges/gateway/webhooks-route.js';
import { Draining } from './edges/health/draining.js';
import { eventsRoute } from './edges/ingestion/events-route.js';
import { upcast } from './event-catalogue.js';
import { Gateway, GatewayModule } from './gateway.module.js';
import type { Runtime } from './runtime.js';
import { WorkerModule } from './worker.module.js';

/** How long running requests may still take when the process is asked to stop, in milliseconds. */
const DRAIN_MS = 25_000;
/** How long the last answers may take to reach their clients after that, in milliseconds. */
const FLUSH_MS = 5_000;
const IDLE_CHECK_MS = 50;

export interface RunningRole {
  stop(): Promise<void>;
}

const nestOptions = { logger: ['error', 'warn'] as ('error' | 'warn')[], abortOnError: false };

export async function startGateway(runtime: Runtime): Promise<RunningRole> {
  const draining = new Draining();
  const adapter = new FastifyAdapter({ frameworkErrors: sendFrameworkError });
  const app = await create(GatewayModule.of(runtime, draining), adapter);
  const fastify = adapter.getInstance();
  await fastify.register(webhooks(runtime, app));
  await app.init();
  await fastify.ready();
  const gateway = app.get(Gateway);
  const { dataPlane } = gateway;
  const controllers = (message: IncomingMessage, reply: ServerResponse) =>
    fastify.routing(message as never, reply as never);
  const server = createGatewayServer({ controllers, dataPlane, draining: () => draining.begun });
  await gateway.start();
  await listen(server, runtime.config.port);
  return {
    async stop() {
      draining.begun = true;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await gateway.stop(DRAIN_MS);
      await closeConnections(server, closed);
      await app.close();
    },
  };
}

function webhooks({ clock, log, pool }: Runtime, app: NestFastifyApplication) {
  return webhooksRoute({
    ...{ accounts: app.get(CardAccounts), desk: app.get(CardDesk), pool, clock },
    onError: ({ code }, error) => log.error({ err: (error as Error).message, code }, 'an event was not taken'),
  });
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port);
  await once(server, 'listening');
}

/** A connection that is kept alive after its last answer, or whose client does not take it, must not keep us waiting. */
async function closeConnections(server: Server, closed: Promise<unknown>): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const all = setTimeout(() => server.closeAllConnections(), FLUSH_MS);
  try {
    await closed;
  } finally {
    clearInterval(idle);
    clearTimeout(all);
  }
}

export async function startControl(runtime: Runtime): Promise<RunningRole> {
  const draining = new Draining();
  const adapter = new FastifyAdapter({ forceCloseConnections: true });
  takeEmptyJson(adapter.getInstance());
  takeCsv(adapter.getInstance());
  const app = await create(ControlModule.of(runtime, draining), adapter);
  await adapter.getInstance().register(usageEvents(runtime));
  await app.listen(runtime.config.adminPort, runtime.config.adminHost);
  return {
    async stop() {
      draining.begun = true;
      await app.close();
    },
  };
}

function usageEvents({ clock, log, pool, secrets }: Runtime) {
  return eventsRoute({
    ingestion: new UsageIngestion(pool, new EventStore(pool, clock, upcast), clock),
    tenantWithKey: (key) => tenantWithKey(pool, 'ingestion', secrets.customerKeySecret, key),
    onError: ({ code }, error) => log.error({ err: (error as Error).message, code }, 'usage events were not taken'),
  });
}

export async function startWorker(runtime: Runtime): Promise<RunningRole> {
  const app: INestApplicationContext = await NestFactory.createApplicationContext(
    WorkerModule.of(runtime),
    nestOptions,
  );
  return { stop: () => app.close() };
}

async function create(module: Parameters<typeof NestFactory.create>[0], adapter: FastifyAdapter) {
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { ...nestOptions, bodyParser: false });
  return app;
}
