import type { Expected } from '../../../base/event-store/expected.js';
import type { Decision } from '../../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../../base/shared/json.js';
import type { FacilitatorList, FacilitatorsChosen, ListedFacilitator } from './facilitator-list.js';
import type { FacilitatorsBody } from './facilitator-list.schemas.js';
import type { Authorizations, FacilitatorVault } from './facilitator-vault.js';

/** Says who settles for a tenant; replaces what was said before. */
export class ChooseFacilitators {
  constructor(
    readonly tenant: string,
    readonly body: FacilitatorsBody,
    readonly expected?: Expected,
  ) {}
}

/**
 * The same again changes nothing. A facilitator of which no authorization is named keeps the one that stands.
 * @param version of the stream so far
 */
export function decideChoose(
  state: FacilitatorList,
  { body, tenant }: ChooseFacilitators,
  version: number,
  standing: Authorizations,
  vault: Pick<FacilitatorVault, 'digestOf' | 'seal'>,
): Decision {
  const shown = new Map<string, string>();
  const facilitators = body.facilitators.map((one): ListedFacilitator => {
    const { allow_private: allowPrivate, authorization, timeout_ms: timeoutMs, url } = one;
    const secret = authorization === undefined ? standing.get(url) : authorization;
    const open = { url, timeoutMs, allowPrivate };
    if (secret === undefined || secret === null) return open;
    shown.set(url, secret);
    return { ...open, authorizationDigest: vault.digestOf(tenant, secret) };
  });
  const list: FacilitatorList = { facilitators, own: body.own };
  if (canonicalJson(state as unknown as Json) === canonicalJson(list as unknown as Json)) return { events: [] };
  const event: FacilitatorsChosen = { type: 'FacilitatorsChosen', schema: 1, data: list };
  const row = { tenant, list, secrets: vault.seal(tenant, shown), revision: version + 1 };
  return { events: [event], attachments: [{ table: 'tenant_facilitators', row }] };
}
