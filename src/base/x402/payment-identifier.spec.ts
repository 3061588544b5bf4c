import {
  appendPaymentIdentifierToExtensions,
  extractAndValidatePaymentIdentifier,
  isPaymentIdentifierExtension,
} from '@x402/extensions/payment-identifier';
import fc from 'fast-check';
import { paymentIdentifierDeclaration, paymentIdentifierOf } from './payment-identifier.js';

describe('payment identifier', () => {
  it('is declared so that the official client adds one, which we then read', () => {
    const declared = structuredClone(paymentIdentifierDeclaration);
    expect(isPaymentIdentifierExtension(declared['payment-identifier'])).toBe(true);
    const extensions = appendPaymentIdentifierToExtensions(declared, 'pay_0123456789abcdef');
    expect(paymentIdentifierOf(extensions)).toBe('pay_0123456789abcdef');
  });

  it.each([{}, { 'payment-identifier': null }, paymentIdentifierDeclaration, { other: 1 }])(
    'is absent in %j',
    (extensions) => {
      expect(paymentIdentifierOf(extensions)).toBeUndefined();
    },
  );

  it('agrees with the official extension on every input', () => {
    const id = fc.oneof(fc.string({ maxLength: 140 }), fc.stringMatching(/^[a-zA-Z0-9_-]{14,130}$/), fc.integer());
    const info = fc.record({ required: fc.oneof(fc.boolean(), fc.constant('true')), id }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: info }, { weight: 1, arbitrary: fc.jsonValue() }), (value) => {
        const extensions = { 'payment-identifier': { info: value } };
        const official = extractAndValidatePaymentIdentifier({ extensions } as never);
        const ours = () => paymentIdentifierOf(extensions) ?? null;
        if (official.validation.valid) expect(ours()).toBe(official.id);
        else expect(ours).toThrow(expect.objectContaining({ code: 'invalid_payment_identifier', status: 400 }));
      }),
      { numRuns: 2000 },
    );
  });
});
