import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ControlModule } from './control.module.js';
import { BODY_BYTES_MAX, onClientError, serveDataPlane } from './edges/gateway/http-server.js';
import { Draining } from './edges/health/draining.js';
import { Gateway, GatewayModule } from './gateway.module.js';
import type { Runtime } from './runtime.js';
import { WorkerModule } from './worker.module.js';

/** How long running requests may still take when the process is asked to stop, in milliseconds. */
const DRAIN_MS = 25_000;

export interface RunningRole {
  stop(): Promise<void>;
}

const nestOptions = { logger: ['error', 'warn'] as ('error' | 'warn')[], abortOnError: false };

export async function startGateway(runtime: Runtime): Promise<RunningRole> {
  const draining = new Draining();
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    clientErrorHandler: onClientError,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  });
  const app = await create(GatewayModule.of(runtime, draining), adapter);
  const gateway = app.get(Gateway);
  serveDataPlane(adapter.getInstance() as never, gateway.dataPlane);
  await gateway.start();
  await app.listen(runtime.config.port, '0.0.0.0');
  return {
    async stop() {
      draining.begun = true;
      const closed = app.close();
      await gateway.stop(DRAIN_MS);
      await closed;
    },
  };
}

export async function startControl(runtime: Runtime): Promise<RunningRole> {
  const draining = new Draining();
  const adapter = new FastifyAdapter({ forceCloseConnections: true });
  const app = await create(ControlModule.of(runtime, draining), adapter);
  await app.listen(runtime.config.adminPort, runtime.config.adminHost);
  return {
    async stop() {
      draining.begun = true;
      await app.close();
    },
  };
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
