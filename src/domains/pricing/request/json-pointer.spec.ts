import { parsePointer, resolvePointer } from './json-pointer.js';

describe('JSON pointer', () => {
  // The document and pointers of RFC 6901 section 5.
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
  };

  it.each([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('resolves %j', (pointer, value) => {
    expect(resolvePointer(document, parsePointer(pointer)!)).toEqual(value);
  });

  it.each([
    '/foo/2',
    '/foo/-',
    '/foo/01',
    '/foo/1e0',
    '/foo/length',
    '/nope',
    '/nope/x',
    '/foo/0/x',
    '/__proto__',
    '/constructor/name',
  ])('finds nothing at %s', (pointer) => {
    expect(resolvePointer(document, parsePointer(pointer)!)).toBeUndefined();
  });

  it.each(['foo', '/~', '/~2', '#/foo'])('does not parse %s', (text) => {
    expect(parsePointer(text)).toBeUndefined();
  });
});
