import { setTimeout as sleep } from 'node:timers/promises';
import type { SettlementChain, Token } from '../../../base/chain/chain.js';
import type { Logger } from '../../../base/platform/logger.js';
import { type Clock, epochSeconds } from '../../../base/shared/clock.js';
import type { Hex } from '../../../base/shared/hex.js';
import type { JsonObject } from '../../../base/shared/json.js';
import { DelegateSettlement } from '../../payments/delegate.decide.js';
import { delegationsOf, OWN_SETTLERS } from '../../payments/delegation.js';
import { isOpen, transactionsOf } from '../../payments/settle.decide.js';
import { hasExpired } from '../settlement.outcome.js';
import { type Execute, type ReadSignatures, type SettleItem, SettlementPending } from '../settlement.ports.js';
import { type SettleAnswer, settleAnswerOf } from './facilitator-answer.js';
import type { Facilitators } from './facilitator-book.js';
import { nextStep, type Step } from './facilitator-choice.js';
import type { Endpoint, FacilitatorClient } from './facilitator-client.js';
import type { FacilitatorResult } from './facilitator-health.js';
import { FacilitatorKinds } from './facilitator-kinds.js';
import { facilitatorBodyOf, versionFor } from './facilitator-request.js';
import type { HealthKeeper } from './health-keeper.js';
import { Slots } from './slots.js';
import { nameOf } from './tenants-facilitator.js';

/** How long the chain may take to show what a facilitator did, after the time that it has for its answer; milliseconds. */
const CONFIRM_MS = 15_000;
/** How long the settlers here have, before facilitators are asked again; nobody is once they have signed. */
const OWN_MS = 60_000;
/**
 * Requests to one facilitator of a tenant at the same time, to all of them, and payments that wait for their turn. A payment holds a place of the
 * worker meanwhile (`CONCURRENCY`), so a facilitator that takes its time must leave most of those to others.
 */
const REQUESTS_MAX = { each: 64, all: 400, waiting: 200 };
const POLL_FIRST_MS = 100;
const POLL_MAX_MS = 2_000;

export interface RemoteDeps {
  readonly chain: Pick<SettlementChain, 'authorizationOutcome' | 'network' | 'transactionOutcome'>;
  readonly facilitatorsOf: (tenant: string) => Facilitators;
  readonly health: HealthKeeper;
  readonly client: FacilitatorClient;
  readonly execute: Execute;
  readonly signatures: ReadSignatures;
  readonly clock: Clock;
  readonly log: Logger;
  readonly confirmMs?: number;
}

/** Who goes on with the payment: the settlers here, or whoever reads on the chain what became of it. */
export interface Left {
  readonly to: 'settlers' | 'chain';
  readonly item: SettleItem;
}

/**
 * Has a payment settled by outside facilitators, one after the other. The log says who has it, and until when, before anything
 * is sent; what an answer says counts for nothing until the chain says it too.
 */
export class RemoteSettlement {
  private readonly kinds: FacilitatorKinds;
  private readonly slots = new Slots(REQUESTS_MAX);
  private stopped = false;

  constructor(private readonly deps: RemoteDeps) {
    this.kinds = new FacilitatorKinds(deps.client, deps.chain.network, deps.clock);
  }

  /** Is it for facilitators? Once a transaction of ours names it, it is not any more. */
  concerns({ state }: SettleItem): boolean {
    if (transactionsOf(state).length > 0) return false;
    const { facilitators } = this.deps.facilitatorsOf(state.authorized.tenant);
    return facilitators.length > 0 || delegationsOf(state).length > 0;
  }

  /**
   * Asks one facilitator after the other. Rejects with `SettlementPending` while nobody can be asked, or somebody else asks.
   * @param item whose authorization was unused a moment ago
   */
  async settle(token: Token, first: SettleItem): Promise<Left> {
    const signature = await this.signatureOf(first);
    const { tenant } = first.state.authorized;
    const useless = new Set<string>();
    // Nobody outside takes it any more; a transaction of ours can make the block by which the chain says so.
    if (this.hasLapsed(first) && this.deps.facilitatorsOf(tenant).own === 'last') return this.keep(first, false);
    let item = first;
    let ended: number | undefined;
    for (;;) {
      this.mustGoOn();
      const { facilitators, own } = this.deps.facilitatorsOf(tenant);
      const usable = facilitators.filter(({ url }) => !useless.has(url));
      const step = this.next(item, usable, own, ended);
      if (step.kind === 'wait') throw new SettlementPending(step.why);
      if (step.kind === 'own') return this.keep(item, step.agreed, ended);
      if (this.hasLapsed(item)) throw new SettlementPending('it has lapsed, which the chain does not say yet');
      const endpoint = usable.find(({ url }) => url === step.url)!;
      const spoken = (await this.kinds.of(endpoint)) ?? [item.state.authorized.x402Version];
      const version = versionFor(item.state.authorized, spoken);
      if (version === undefined) useless.add(endpoint.url);
      else if (!this.slots.take(nameOf(endpoint))) await this.turn();
      else {
        try {
          item = await this.claim(item, endpoint.url, this.timeFor(endpoint), ended);
          const body = facilitatorBodyOf(item.state.authorized, signature, token, version);
          const result = await this.ask(token, item, endpoint, () => this.send(endpoint, body, signature));
          if (result === 'used') return { to: 'chain', item };
          ended = delegationsOf(item.state).at(-1)!.attempt;
        } finally {
          this.slots.release(nameOf(endpoint));
        }
      }
    }
  }

  /** Ends all waiting. What a facilitator does meanwhile is found on the chain. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.deps.client.stop();
  }

  private next(item: SettleItem, usable: readonly Endpoint[], own: Facilitators['own'], ended?: number): Step {
    const { clock, health } = this.deps;
    const facilitators = usable.map((one) => ({ url: one.url, health: health.of(one) }));
    return nextStep({ facilitators, own, delegations: delegationsOf(item.state), ended }, clock());
  }

  private async keep(item: SettleItem, agreed: boolean, ended?: number): Promise<Left> {
    return { to: 'settlers', item: agreed ? item : await this.claim(item, OWN_SETTLERS, OWN_MS, ended) };
  }

  /** Makes the log say that this facilitator has it now. The stream's version decides between workers. */
  private async claim(item: SettleItem, name: string, forMs: number, ended?: number): Promise<SettleItem> {
    const now = this.deps.clock();
    const command = new DelegateSettlement(item.id, name, { now, until: now + forMs }, ended, item);
    const { events, state, version } = await this.deps.execute(command);
    if (events.length === 0 || !isOpen(state)) throw new SettlementPending('another worker has it');
    return { id: item.id, state, version };
  }

  private async send(endpoint: Endpoint, body: JsonObject, signature: Hex): Promise<SettleAnswer> {
    const { chain, client } = this.deps;
    const secrets = [endpoint.authorization ?? '', signature];
    return settleAnswerOf(await client.send(endpoint, 'settle', body), chain.network, secrets);
  }

  private async ask(
    token: Token,
    item: SettleItem,
    endpoint: Endpoint,
    send: () => Promise<SettleAnswer>,
  ): Promise<'used' | 'ended'> {
    const { clock, health, log } = this.deps;
    const began = clock();
    health.asking(endpoint, this.timeFor(endpoint));
    const answer = await send();
    const latencyMs = clock() - began;
    const until = Number(delegationsOf(item.state).at(-1)!.until);
    const result = await this.judge(token, item, answer, until);
    if (result === 'not_its_doing') return 'used';
    health.observe(endpoint, result, latencyMs);
    if (result === 'settled') return 'used';
    log.warn(
      { payment: item.id, facilitator: endpoint.url, result, detail: answer.detail },
      'a facilitator has not settled',
    );
    return 'ended';
  }

  /** What the request came to, as the chain has it; waits as long as the answer makes it worth it, and never past `until`. */
  private async judge(
    token: Token,
    item: SettleItem,
    answer: SettleAnswer,
    until: number,
  ): Promise<FacilitatorResult | 'not_its_doing'> {
    const { payer, nonce } = item.state.authorized.terms;
    const use = async () => (await this.deps.chain.authorizationOutcome(token, payer, nonce)).kind;
    for (let wait = POLL_FIRST_MS; ; wait = Math.min(2 * wait, POLL_MAX_MS)) {
      this.mustGoOn();
      // Its transaction first: if that is in a block, the use of the authorization is as well.
      const claim = answer.kind === 'claimed' ? await this.standingOf(answer.transaction) : undefined;
      const kind = await use();
      if (kind !== 'unused') return kind === 'transferred' ? 'settled' : 'not_its_doing';
      if (answer.kind === 'refused') return 'refused';
      if (answer.kind === 'unreachable') return 'failed';
      if (claim === 'mined') return 'lied';
      const left = until - this.deps.clock();
      if (left <= 0) return claim === 'unknown' ? 'lied' : 'failed';
      await sleep(Math.min(wait, left));
    }
  }

  private async standingOf(transaction: Hex | undefined): Promise<'mined' | 'pending' | 'unknown'> {
    if (transaction === undefined) return 'unknown';
    return (await this.deps.chain.transactionOutcome(transaction)).kind;
  }

  private async signatureOf(item: SettleItem): Promise<Hex> {
    const signature = (await this.deps.signatures([item.id])).get(item.id);
    if (!signature) throw new SettlementPending('the signature is missing; waiting for the authorization to expire');
    return signature;
  }

  private hasLapsed({ state }: SettleItem): boolean {
    return hasExpired(state.authorized.terms, BigInt(epochSeconds(this.deps.clock())));
  }

  private timeFor({ timeoutMs }: Endpoint): number {
    return timeoutMs + this.confirmMs;
  }

  private get confirmMs(): number {
    return this.deps.confirmMs ?? CONFIRM_MS;
  }

  private async turn(): Promise<void> {
    if (this.slots.isCrowded) throw new SettlementPending('too many wait for facilitators');
    await this.slots.released();
  }

  private mustGoOn(): void {
    if (this.stopped) throw new SettlementPending('shutting down');
  }
}
