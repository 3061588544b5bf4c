import { createHash } from 'node:crypto';
import { Problem } from '../shared/problem.js';
import { checkContentDigest } from './content-digest.js';

const BODY = Buffer.from('{"hello": "world"}\n');
/** RFC 9530, appendix B.1. */
const SHA256 = 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:';
const SHA512 = 'sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:';

const codeOf = (field: string, body = BODY) => {
  try {
    checkContentDigest(field, body);
  } catch (error) {
    return (error as Problem).code;
  }
};

describe('Content-Digest', () => {
  it('holds for the examples of RFC 9530', () => {
    for (const field of [SHA256, SHA512, `${SHA256}, ${SHA512}`, `md5=:AAAA:, ${SHA256}`]) {
      expect(codeOf(field)).toBeUndefined();
      expect(codeOf(field, Buffer.from('{"hello": "world"}'))).toBe('content_digest_mismatch');
    }
  });

  it('needs each of several digests to be true', () => {
    const other = createHash('sha512').update('other').digest('base64');
    expect(codeOf(`${SHA256}, sha-512=:${other}:`)).toBe('content_digest_mismatch');
  });

  it.each([
    '',
    'md5=:AAAA:',
    'sha-256',
    'sha-256="text"',
    'sha-256=(:AAAA:)',
    'sha-256=:?:',
    `${SHA256},`,
    'x'.repeat(600),
  ])('is refused: %s', (field) => expect(codeOf(field)).toBe('malformed_signature'));
});
