import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type DemoUpstream, type DemoUpstreamOptions, startDemoUpstream } from './upstream.js';

/** The demo upstream on a thread of its own: a provider's server does not share the gateway's event loop either. */
export async function startDemoThread(options: DemoUpstreamOptions): Promise<DemoUpstream> {
  const worker = new Worker(new URL(import.meta.url), { workerData: options });
  const [url] = (await once(worker, 'message')) as [string];
  return {
    url,
    async stop() {
      const exited = once(worker, 'exit');
      worker.postMessage('stop');
      await exited;
    },
  };
}

if (!isMainThread) {
  const upstream = await startDemoUpstream(workerData as DemoUpstreamOptions);
  parentPort!.once('message', () => void upstream.stop());
  parentPort!.postMessage(upstream.url);
}
