import { refuseFaults } from '../../base/shared/problem.js';
import { checkTariff } from '../../domains/pricing/check-tariff.js';
import type { TariffRules } from '../../domains/pricing/tariff.schemas.js';

/** Of the member `rules` of a body. @throws Problem `invalid_request` that names every member at fault */
export function assertTariff(rules: object): asserts rules is TariffRules {
  const errors = checkTariff(rules).map(({ field, message: detail }) => ({
    pointer: `#/rules${encodeURI(field)}`,
    detail,
  }));
  refuseFaults(errors);
}
