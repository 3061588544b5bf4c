import { Body, Controller, Get, Headers, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Address, Network } from '../../../base/shared/hex.js';
import { Problem } from '../../../base/shared/problem.js';
import { decodeFacilitatorRequest, type Refusal, versionIn, worded } from '../../../base/x402/facilitator.js';
import { v1NameOf } from '../../../base/x402/networks.js';
import type { Tenant } from '../../../domains/pricing/catalogue.schemas.js';
import { FacilitatorDesk } from './facilitator-desk.js';

const BEARER = /^Bearer ([\x21-\x7e]{1,256})$/i;

/** The tenant that a key belongs to, as it is published now. */
export const TENANT_WITH_KEY = Symbol('TenantWithKey');
export type TenantWithKey = (key: string) => Promise<Tenant | undefined>;
/** Addresses that pay the gas. */
export const SETTLERS = Symbol('Settlers');

/**
 * The x402 facilitator interface, versions 1 and 2, for other servers of a tenant: what `HTTPFacilitatorClient` of @x402/core
 * calls. A payment that is refused is 200 with the reason; what is no answer about a payment is a problem.
 */
@Controller('facilitator')
export class FacilitatorController {
  constructor(
    @Inject(FacilitatorDesk) private readonly desk: FacilitatorDesk,
    @Inject(TENANT_WITH_KEY) private readonly tenantWithKey: TenantWithKey,
    @Inject(SETTLERS) private readonly settlers: readonly Address[],
  ) {}

  @Get('supported')
  async supported(@Headers('authorization') sent: string | undefined): Promise<object> {
    const networks = this.desk.networksFor(await this.tenantOf(sent));
    return {
      kinds: networks.flatMap(kindsOn),
      extensions: [],
      signers: { 'eip155:*': this.settlers },
    };
  }

  @Post('verify')
  @HttpCode(200)
  async verify(@Headers('authorization') sent: string | undefined, @Body() body: unknown): Promise<object> {
    const tenant = await this.tenantOf(sent);
    const version = versionIn(body);
    const request = decodeFacilitatorRequest(body);
    if ('reason' in request) return invalid(request, version);
    const payer = request.payment.authorization.from;
    const reason = await this.desk.verify(tenant, request);
    return reason ? { ...invalid({ reason }, version), payer } : { isValid: true, payer };
  }

  @Post('settle')
  @HttpCode(200)
  async settle(
    @Headers('authorization') sent: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const tenant = await this.tenantOf(sent);
    const version = versionIn(body);
    const network = version === 1 ? (v1NameOf(tenant.network) ?? tenant.network) : tenant.network;
    const request = decodeFacilitatorRequest(body);
    if ('reason' in request) return { ...failed(request, version), transaction: '', network };
    const payer = request.payment.authorization.from;
    const settled = await this.desk.settle(tenant, request);
    if (!('refused' in settled)) {
      const amount = version === 2 ? { amount: request.requirements.amount.toString() } : {};
      return { success: true, transaction: settled.transaction, network, payer, ...amount };
    }
    const { headers, refused: reason, transaction = '' } = settled;
    if (headers) reply.status(429).headers(headers);
    return { ...failed({ reason }, version), transaction, network, payer };
  }

  /** @throws Problem `facilitator_key_required` */
  private async tenantOf(sent: string | undefined): Promise<Tenant> {
    const key = BEARER.exec(sent ?? '')?.[1];
    const tenant = key === undefined ? undefined : await this.tenantWithKey(key);
    if (!tenant) throw new Problem('facilitator_key_required', undefined, { 'www-authenticate': 'Bearer' });
    return tenant;
  }
}

function kindsOn(network: Network): readonly object[] {
  const v1Name = v1NameOf(network);
  const kind = { scheme: 'exact', network };
  return [{ x402Version: 2, ...kind }, ...(v1Name ? [{ x402Version: 1, ...kind, network: v1Name }] : [])];
}

function invalid(refusal: Refusal, version: 1 | 2): object {
  const { message, reason } = worded(refusal, version);
  return { isValid: false, invalidReason: reason, invalidMessage: message };
}

function failed(refusal: Refusal, version: 1 | 2): object {
  const { message, reason } = worded(refusal, version);
  return { success: false, errorReason: reason, errorMessage: message };
}
