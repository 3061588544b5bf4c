import type { FastifyReply, FastifyRequest } from 'fastify';
import { expectedBy, tagged } from './etag.js';

function request(headers: Record<string, string>, method = 'GET'): FastifyRequest {
  return { headers, method } as unknown as FastifyRequest;
}

/** Answers what `tagged` returned and did. */
function answerTo(headers: Record<string, string>, version: number, method?: string) {
  const done: unknown[] = [];
  const reply = { header: (...args: unknown[]) => done.push(args), status: (code: number) => done.push(code) };
  const fresh = tagged(request(headers, method), reply as unknown as FastifyReply, version);
  return { fresh, done };
}

describe('an entity tag', () => {
  it('is the quoted version', () => {
    expect(answerTo({}, 7)).toEqual({ fresh: false, done: [['ETag', '"7"']] });
  });

  it.each(['"7"', 'W/"7"', '"1", "7"', '*'])('spares a client that has it: %s', (known) => {
    expect(answerTo({ 'if-none-match': known }, 7)).toMatchObject({ fresh: true, done: [['ETag', '"7"'], 304] });
  });

  it.each(['"6"', 'W/"6"', '"6", "8"', '""'])('is sent with the rest to one that has another: %s', (known) => {
    expect(answerTo({ 'if-none-match': known }, 7).fresh).toBe(false);
  });

  it('never cuts the answer to a write', () => {
    expect(answerTo({ 'if-none-match': '*' }, 7, 'PUT').fresh).toBe(false);
  });
});

describe('the condition of a write', () => {
  it.each([
    [{ 'if-match': '"3"' }, [3]],
    [{ 'if-match': ' "3" , "12"' }, [3, 12]],
    [{ 'if-match': 'W/"3"' }, []],
    [{ 'if-match': '"other"' }, []],
    [{ 'if-match': '"03"' }, []],
    [{ 'if-match': '*' }, 'something'],
    [{ 'if-none-match': '*' }, 'nothing'],
    [{}, 'unstated'],
  ])('%j expects %j', (headers, expected) => {
    expect(expectedBy(request(headers as Record<string, string>), 'unstated')).toEqual(expected);
  });

  it.each([
    [{ 'if-match': '3' }],
    [{ 'if-match': '"3' }],
    [{ 'if-match': '' }],
    [{ 'if-match': '*, "3"' }],
    [{ 'if-none-match': '"3"' }],
    [{ 'if-match': '"3"', 'if-none-match': '*' }],
  ])('%j is refused', (headers) => {
    expect(() => expectedBy(request(headers as Record<string, string>), undefined)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});
