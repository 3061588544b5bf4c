import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Route } from '../../domains/pricing/catalogue.schemas.js';
import type { LaneWatcher, UpstreamLanes, WaitEnd } from '../gateway/lanes/upstream-lanes.js';

const WAIT_SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60];
const names = ['tenant', 'route', 'lane'] as const;

/** Queues in front of upstreams, of the gateway in this process. A lane is an urgency, 0 to 7. */
export class LaneMetrics implements LaneWatcher {
  private readonly waits: Histogram<(typeof names)[number]>;
  private readonly refusals: Counter<(typeof names)[number] | 'reason'>;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    this.waits = new Histogram({
      name: 'tollbook_upstream_wait_seconds',
      help: 'Time that requests waited for their turn at the upstream',
      labelNames: names,
      buckets: WAIT_SECONDS,
      registers,
    });
    this.refusals = new Counter({
      name: 'tollbook_upstream_refused_total',
      help: 'Requests that got no turn at the upstream, by reason: full, late, gone or stopped',
      labelNames: [...names, 'reason'],
      registers,
    });
  }

  ended(route: Route, urgency: number, how: WaitEnd, waitedMs: number): void {
    const labels = labelsOf(route, urgency);
    if (how === 'served') this.waits.observe(labels, waitedMs / 1000);
    else this.refusals.inc({ ...labels, reason: how });
  }

  /** Shows how many wait, whenever somebody asks. */
  show(lanes: Pick<UpstreamLanes, 'waiting'>): void {
    new Gauge({
      name: 'tollbook_upstream_waiting',
      help: 'Requests that wait for their turn at the upstream',
      labelNames: names,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { count, route, urgency } of lanes.waiting()) this.set(labelsOf(route, urgency), count);
      },
    });
  }
}

function labelsOf({ id, tenant }: Route, urgency: number) {
  return { tenant, route: id, lane: String(urgency) };
}
