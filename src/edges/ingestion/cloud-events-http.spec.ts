import { canonicalExact } from '../../base/shared/exact-json.js';
import { EVENTS_MAX, sentEvents } from './cloud-events-http.js';

function sent(headers: Record<string, string>, body = '') {
  const rawHeaders = Object.entries(headers).flat();
  return sentEvents({ headers, rawHeaders, body: Buffer.from(body) });
}
const first = (headers: Record<string, string>, body = '') => canonicalExact(sent(headers, body).events[0]!);

describe('the HTTP binding', () => {
  it('knows the structured and the batch form by the content type', () => {
    expect(sent({ 'content-type': 'Application/CloudEvents+JSON; charset=UTF-8' }, '{"a":1}')).toEqual({
      ...{ form: 'structured', events: [{ a: 1 }] },
    });
    expect(sent({ 'content-type': 'application/cloudevents-batch+json' }, '[{},{}]')).toEqual({
      ...{ form: 'batch', events: [{}, {}] },
    });
  });

  it('puts a binary event together, decoding its headers once', () => {
    const headers = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '"a%20\\"b\\""',
      'ce-source': '/x%2525',
      'ce-euro': '%E2%82%AC',
    };
    expect(first(headers, '{"n": 1.0}')).toBe(
      '{"data":{"n":1.0},"datacontenttype":"application/json","euro":"€","id":"a \\"b\\"","source":"/x%25","specversion":"1.0"}',
    );
    const { 'content-type': _, ...bare } = headers;
    expect(first(bare)).not.toContain('data');
  });

  it.each([
    [{ 'content-type': 'application/json' }, '{}', 'unsupported_media_type'],
    [{}, '{}', 'unsupported_media_type'],
    [{ 'content-type': 'application/cloudevents+xml', 'ce-specversion': '1.0' }, '{}', 'unsupported_media_type'],
    [{ 'content-type': 'application/cloudevents+json; charset=latin1' }, '{}', 'unsupported_media_type'],
    [{ 'content-type': 'application/cloudevents+json' }, '{"a":1,"a":1}', 'invalid_request'],
    [{ 'content-type': 'application/cloudevents-batch+json' }, '{}', 'invalid_request'],
    [{ 'content-type': 'application/cloudevents-batch+json' }, `[${'{},'.repeat(EVENTS_MAX)}{}]`, 'request_too_large'],
    [{ 'ce-specversion': '1.0', 'ce-id': '%E2%82' }, '', 'invalid_request'],
    [{ 'ce-specversion': '1.0', 'ce-id': 'é' }, '', 'invalid_request'],
    [{ 'ce-specversion': '1.0', 'ce-id': 'a', 'CE-ID': 'b' }, '', 'invalid_request'],
  ])('refuses %j', (headers, body, code) => {
    expect(() => sent(headers, body)).toThrow(expect.objectContaining({ code }));
  });
});
