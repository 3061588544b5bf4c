import { LRUCache } from 'lru-cache';
import { request } from 'undici';
import { z } from 'zod';
import type { Clock } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import { type Screening, ScreeningUnavailable, type Verdict } from './screening.port.js';

export interface ServiceOptions {
  /** Asked by `POST` with `{"address": …}`. */
  readonly url: string;
  /** Sent as a bearer token, if there is one. */
  readonly token?: string;
  /** Longest wait for the whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a verdict stands at most, in milliseconds; the service may say less. */
  readonly freshMs: number;
}

/** Verdicts kept; those not asked for the longest go first. */
const KEPT_MAX = 100_000;
const ANSWER_BYTES_MAX = 16 * 1024;

/** The address is echoed, so that an answer to another question is not taken for this one. Other members do not count. */
const answerSchema = z.object({
  address: z.string().toLowerCase(),
  verdict: z.enum(['clear', 'denied']),
  valid_for_seconds: z.int().min(0).optional(),
});

/** A compliance service over HTTP. Whatever is not a verdict in time is no verdict; verdicts are kept until they expire. */
export class ServiceScreening implements Screening {
  private readonly kept = new LRUCache<Address, { readonly verdict: Verdict; readonly until: number }>({
    max: KEPT_MAX,
  });
  /** Questions under way; those who ask the same wait for one answer. */
  private readonly asking = new Map<Address, Promise<Verdict>>();

  constructor(
    private readonly options: ServiceOptions,
    private readonly clock: Clock,
  ) {}

  known(payer: Address): Verdict | undefined {
    const kept = this.kept.get(payer);
    return kept && kept.until > this.clock() ? kept.verdict : undefined;
  }

  screen(payer: Address): Promise<Verdict> {
    const earlier = this.asking.get(payer);
    if (earlier) return earlier;
    const asked = this.ask(payer).finally(() => this.asking.delete(payer));
    this.asking.set(payer, asked);
    return asked;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  private async ask(payer: Address): Promise<Verdict> {
    // From before the question: an answer that took long is not fresh for longer.
    const asked = this.clock();
    const answer = await this.answerFor(payer).catch((error: Error) => {
      throw new ScreeningUnavailable(`the screening service: ${error.message}`, { cause: error });
    });
    if (answer.address !== payer) throw new ScreeningUnavailable('the screening service answered for another address');
    const freshMs = Math.min((answer.valid_for_seconds ?? Number.POSITIVE_INFINITY) * 1000, this.options.freshMs);
    this.kept.set(payer, { verdict: answer.verdict, until: asked + freshMs });
    return answer.verdict;
  }

  private async answerFor(address: Address): Promise<z.output<typeof answerSchema>> {
    const { timeoutMs, token, url } = this.options;
    const { body, statusCode } = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ address }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await readText(body);
    if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
    return answerSchema.parse(JSON.parse(text));
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
