import type { Clock } from '../../../base/shared/clock.js';
import type { Network } from '../../../base/shared/hex.js';
import { versionsIn } from './facilitator-answer.js';
import type { Endpoint, FacilitatorClient } from './facilitator-client.js';
import { nameOf } from './tenants-facilitator.js';

/** How long what a facilitator says of itself counts, and how long that it says nothing; milliseconds. */
const KNOWN_MS = 300_000;
const UNKNOWN_MS = 30_000;
const TIMEOUT_MS = 3_000;

type Versions = readonly (1 | 2)[] | undefined;

/** What facilitators say that they can (`GET /supported`), asked once in a while, for each tenant with its own key. */
export class FacilitatorKinds {
  private readonly known = new Map<string, { readonly versions: Promise<Versions>; until: number }>();

  constructor(
    private readonly client: Pick<FacilitatorClient, 'send'>,
    private readonly network: Network,
    private readonly clock: Clock,
  ) {}

  /** Versions of x402 in which it settles here; `undefined` if it does not say. */
  of(endpoint: Endpoint): Promise<Versions> {
    const name = nameOf(endpoint);
    const known = this.known.get(name);
    if (known && known.until > this.clock()) return known.versions;
    const asked = { versions: this.ask(endpoint), until: this.clock() + KNOWN_MS };
    this.known.set(name, asked);
    void asked.versions.then((versions) => {
      if (versions === undefined) asked.until = this.clock() + UNKNOWN_MS;
    });
    return asked.versions;
  }

  private async ask(endpoint: Endpoint): Promise<Versions> {
    const timeoutMs = Math.min(endpoint.timeoutMs, TIMEOUT_MS);
    return versionsIn(await this.client.send({ ...endpoint, timeoutMs }, 'supported'), this.network);
  }
}
