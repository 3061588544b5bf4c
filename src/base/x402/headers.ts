/** Header names of the x402 HTTP transports, versions 1 and 2. Replies use these spellings; Node hands requests over in lower case. */
export const PAYMENT_REQUIRED = 'PAYMENT-REQUIRED';
export const PAYMENT_RESPONSE = 'PAYMENT-RESPONSE';
export const X_PAYMENT_RESPONSE = 'X-PAYMENT-RESPONSE';

/** Scripts in a browser see only the headers named here; every reply of a priced route carries it. */
export const EXPOSED_HEADERS = {
  'Access-Control-Expose-Headers': `${PAYMENT_REQUIRED}, ${PAYMENT_RESPONSE}, ${X_PAYMENT_RESPONSE}`,
};

/** Standard base64 with padding: the official client refuses the URL alphabet. */
export function encodeHeader(json: string): string {
  return Buffer.from(json, 'utf8').toString('base64');
}
