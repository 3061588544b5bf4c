import { prefersHtml } from './negotiation.js';

describe('prefersHtml', () => {
  it.each([
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'text/html',
    'TEXT/HTML; q=0.5',
    'application/json;q=0.5, text/html;q=0.9',
  ])('shows the page for %s', (accept) => expect(prefersHtml(accept)).toBe(true));

  it.each([
    undefined,
    '',
    '*/*',
    'application/json, text/plain, */*',
    'application/json, text/html',
    'text/html;q=0.4, application/json;q=0.6',
    'text/html;q=0',
    'text/html;q=x',
    'text/htmlx',
  ])('answers JSON for %s', (accept) => expect(prefersHtml(accept)).toBe(false));
});
