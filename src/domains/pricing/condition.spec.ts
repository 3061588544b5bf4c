import fc from 'fast-check';
import { amountOf, type Described, fieldsAtFault, priceOf } from '../../../test/support/priced.js';
import type { ConditionRules } from './condition.js';
import type { TariffRules } from './tariff.schemas.js';

/** 100, and 1 more if the condition holds. */
const gated = (when: ConditionRules): TariffRules => ({
  charges: [
    { model: 'flat', amount: '100' },
    { model: 'flat', amount: '1', when },
  ],
});
const applies = (when: ConditionRules, request: Described) => amountOf(gated(when), request) === 101n;

const plan = { in: 'header', name: 'x-plan' } as const;
const rows = { in: 'body', pointer: '/rows' } as const;
const isPro: ConditionRules = { is: 'equals', field: plan, value: 'pro' };
const isMany: ConditionRules = { is: 'at_least', field: rows, value: 10 };
const pro: Described = { headers: { 'x-plan': 'pro' }, body: '{}' };

describe('a condition', () => {
  it.each<[string, ConditionRules, Described, boolean]>([
    ['equal text', isPro, pro, true],
    ['other text', isPro, { headers: { 'x-plan': 'Pro' } }, false],
    ['no text', isPro, {}, false],
    ['a truth value in the body', { is: 'equals', field: rows, value: 'true' }, { body: '{"rows":true}' }, true],
    ['one of', { is: 'one_of', field: plan, values: ['team', 'pro'] }, pro, true],
    ['none of', { is: 'one_of', field: plan, values: ['team', 'free'] }, pro, false],
    ['present', { is: 'present', field: plan }, pro, true],
    ['absent', { is: 'present', field: plan }, {}, false],
    ['at least', isMany, { body: '{"rows":10}' }, true],
    ['less', isMany, { body: '{"rows":9.99}' }, false],
    ['no number at all', isMany, { body: '{}' }, false],
    ['at most', { is: 'at_most', field: rows, value: 10 }, { body: '{"rows":10.0}' }, true],
    ['a fraction above', { is: 'at_most', field: rows, value: 10 }, { body: '{"rows":10.01}' }, false],
    ['all', { is: 'all', of: [isPro, { is: 'present', field: plan }] }, pro, true],
    ['not all', { is: 'all', of: [isPro, { is: 'present', field: rows }] }, pro, false],
    ['any', { is: 'any', of: [isPro, { is: 'present', field: rows }] }, pro, true],
    ['not any', { is: 'any', of: [{ is: 'present', field: rows }] }, pro, false],
    ['not', { is: 'not', of: isPro }, {}, true],
  ])('on %s', (_what, when, request, expected) => {
    expect(applies(when, request)).toBe(expected);
  });

  it('on a class looks at the class of the request', () => {
    const rules: TariffRules = {
      charges: gated({ is: 'class', class: 'fast' }).charges,
      modifiers: [
        {
          kind: 'class',
          by: plan,
          classes: [
            { id: 'standard', permille: 1000 },
            { id: 'fast', permille: 1000 },
          ],
        },
      ],
    };
    expect([amountOf(rules), amountOf(rules, { class: 'fast' })]).toEqual([100n, 101n]);
  });

  const condition = fc.letrec<{ node: ConditionRules; leaf: ConditionRules }>((tie) => ({
    leaf: fc.constantFrom<ConditionRules>(
      isPro,
      isMany,
      { is: 'present', field: rows },
      { is: 'one_of', field: rows, values: ['1', '2'] },
      { is: 'at_most', field: rows, value: 5 },
    ),
    node: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      tie('leaf'),
      fc.record({ is: fc.constant('not' as const), of: tie('node') }),
      fc.record({
        is: fc.constantFrom('all' as const, 'any' as const),
        of: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  })).node;
  const readable = fc.record({
    body: fc.oneof(
      fc.nat(20).map((n) => `{"rows":${n}}`),
      fc.constant('{}'),
    ),
    headers: fc.constantFrom<Described['headers']>({}, { 'x-plan': 'pro' }, { 'x-plan': 'free' }),
  });

  it('and its negation never both hold, and one of them does', () => {
    fc.assert(
      fc.property(condition, readable, (when, request) => {
        expect(applies(when, request)).not.toBe(applies({ is: 'not', of: when }, request));
      }),
    );
  });

  it('that cannot be read makes no request cheaper: charges and surcharges apply, discounts do not', () => {
    fc.assert(
      fc.property(condition, readable, fc.integer({ min: 1, max: 3000 }), (when, request, permille) => {
        const rules: TariffRules = {
          ...gated(when),
          modifiers: [{ kind: 'priority', permille: Array<number>(8).fill(permille), when }],
          minimum: '0',
        };
        const unreadable = { body: 'not json', headers: { 'x-plan': ['pro', 'free'] } };
        expect(amountOf(rules, unreadable)).toBeGreaterThanOrEqual(amountOf(rules, request));
      }),
    );
  });

  it('is recorded as its outcome, never as the text that was compared', () => {
    const { inputs } = priceOf(gated(isPro), { headers: { 'x-plan': 'a-name' } });
    expect(inputs).toEqual({ 'request_equals:header:x-plan=pro': 'false' });
  });

  it.each<[string, object, string]>([
    ['an unknown word', { is: 'matches', field: plan, value: '.*' }, '/charges/1/when/is'],
    ['an empty list', { is: 'all', of: [] }, '/charges/1/when/of'],
    ['a fault inside', { is: 'all', of: [isPro, { ...isMany, value: -1 }] }, '/charges/1/when/of/1/value'],
    ['a header in capitals', { ...isPro, field: { in: 'header', name: 'X-Plan' } }, '/charges/1/when/field/name'],
    ['a secret', { ...isPro, field: { in: 'header', name: 'authorization' } }, '/charges/1/when/field/name'],
    ['a pointer that is none', { is: 'present', field: { in: 'body', pointer: 'a' } }, '/charges/1/when/field/pointer'],
    ['a class that is not offered', { is: 'class', class: 'fast' }, '/charges/1/when'],
  ])('with %s is refused where the fault is', (_what, when, field) => {
    expect(fieldsAtFault(gated(when as ConditionRules))).toEqual([field]);
  });

  it('is refused, not run out of stack, however deep it is nested', () => {
    let deep: object = isPro;
    for (let depth = 0; depth < 10_000; depth++) deep = { is: 'not', of: deep };
    expect(fieldsAtFault(gated(deep as ConditionRules))).toEqual([`/charges/1/when${'/of'.repeat(4)}/is`]);
  });
});
