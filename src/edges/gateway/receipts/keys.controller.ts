import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { JsonObject } from '../../../base/shared/json.js';
import { type PublicJwk, ReceiptSigner } from '../../../domains/receipts/receipt-signer.js';

/** Long enough to spare us, short enough for a new key to be found soon. */
const CACHE_CONTROL = 'public, max-age=300';

/** The keys that receipts and offers verify with, as a JSON Web Key set and as a did:web document. */
@Controller('.well-known')
export class KeysController {
  constructor(@Inject(ReceiptSigner) private readonly signer: ReceiptSigner) {}

  @Get('jwks.json')
  @Header('Content-Type', 'application/jwk-set+json')
  @Header('Cache-Control', CACHE_CONTROL)
  @Header('Access-Control-Allow-Origin', '*')
  jwks(): { readonly keys: readonly PublicJwk[] } {
    return this.signer.jwks();
  }

  @Get('did.json')
  @Header('Content-Type', 'application/did+json')
  @Header('Cache-Control', CACHE_CONTROL)
  @Header('Access-Control-Allow-Origin', '*')
  did(): JsonObject {
    return this.signer.didDocument();
  }
}
