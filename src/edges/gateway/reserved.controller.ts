import { All, Controller } from '@nestjs/common';
import { Problem } from '../../base/shared/problem.js';

/** Paths that are kept free of priced routes for what the gateway does not do yet, so that nobody sells them meanwhile. */
@Controller()
export class ReservedController {
  @All(['discovery', 'discovery/*'])
  discovery(): never {
    throw new Problem('not_found', 'This gateway lists no resources yet; each priced route answers 402 with its offer');
  }
}
