import type { SettlementItem, Token, TransferAuthorization } from '../../../base/chain/chain.js';
import { authorizationTypedData } from '../../../base/chain/eip3009.js';
import type { Signer } from '../../../base/chain/signer.js';
import type { Address } from '../../../base/shared/hex.js';
import type { AuthorizationTerms } from '../../payments/payment.js';
import { type RequestedRefund, refundNonce } from '../../payments/refund.js';

/** The accounts that refunds are paid from. They sign authorizations only; a settler brings these to the chain and pays the gas. */
export class RefundWallets {
  /** Pays new refunds; the others only what was asked of them. */
  readonly current: Address | undefined;
  private readonly signers: ReadonlyMap<Address, Signer>;

  constructor(signers: readonly Signer[]) {
    this.current = signers[0]?.address;
    this.signers = new Map(signers.map((signer) => [signer.address, signer]));
  }

  get addresses(): readonly Address[] {
    return [...this.signers.keys()];
  }

  has(address: Address): boolean {
    return this.signers.has(address);
  }

  /** The same refund gives the same authorization, so that it can be signed again at will and used once. */
  async sign(token: Token, refund: RequestedRefund, terms: AuthorizationTerms): Promise<SettlementItem> {
    const signer = this.signers.get(refund.sender);
    if (!signer) throw new RangeError(`there is no key for the refund wallet ${refund.sender}`);
    const authorization = authorizationOf(refund, terms);
    return { authorization, signature: await signer.signTypedData(authorizationTypedData(token, authorization)) };
  }
}

function authorizationOf(refund: RequestedRefund, { payer }: AuthorizationTerms): TransferAuthorization {
  return {
    from: refund.sender,
    to: payer,
    value: BigInt(refund.amount),
    validAfter: 0n,
    validBefore: BigInt(refund.validBefore!),
    nonce: refundNonce(refund.refund),
  };
}
