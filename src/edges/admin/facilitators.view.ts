import type { Network } from '../../base/shared/hex.js';
import {
  type FacilitatorResult,
  mayBeAsked,
  scoreOf,
} from '../../domains/settlement/facilitators/facilitator-health.js';
import type { FacilitatorList } from '../../domains/settlement/facilitators/facilitator-list.js';
import type { Posted } from '../../domains/settlement/facilitators/health-board.js';

export interface FacilitatorHealthView {
  readonly network: Network;
  /** 0 to 1. */
  readonly score: number;
  readonly latency_ms: number;
  readonly circuit: 'closed' | 'open';
  readonly requests: Readonly<Record<FacilitatorResult, number>>;
}

export interface FacilitatorsView {
  readonly tenant: string;
  readonly facilitators: readonly {
    readonly url: string;
    readonly timeout_ms: number;
    readonly allow_private: boolean;
    /** Whether it is shown a secret, which nobody is told. */
    readonly authorized: boolean;
    /** By network; `null` if nobody can say now. */
    readonly health: readonly FacilitatorHealthView[] | null;
  }[];
  readonly own: FacilitatorList['own'];
}

/** Pure. @param posted `undefined` if nobody can say @param now epoch milliseconds */
export function facilitatorsView(
  tenant: string,
  { facilitators, own }: FacilitatorList,
  posted: readonly Posted[] | undefined,
  now: number,
): FacilitatorsView {
  return {
    tenant,
    facilitators: facilitators.map(({ allowPrivate, authorizationDigest, timeoutMs, url }) => ({
      url,
      timeout_ms: timeoutMs,
      allow_private: allowPrivate,
      authorized: authorizationDigest !== undefined,
      health:
        posted?.filter((one) => one.tenant === tenant && one.url === url).map((one) => healthView(one, now)) ?? null,
    })),
    own,
  };
}

function healthView({ health, network, results }: Posted, now: number): FacilitatorHealthView {
  return {
    network,
    score: Math.round(scoreOf(health) * 1000) / 1000,
    latency_ms: health.latencyMs,
    circuit: mayBeAsked(health, now) ? 'closed' : 'open',
    requests: results,
  };
}
