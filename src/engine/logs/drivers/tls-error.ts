/** What Go says where OpenSSL does not trust a certificate; the message of any other error as it is. */
export function tlsErrorText(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return WORDS[code] ?? message;
}

const UNKNOWN = 'x509: certificate signed by unknown authority';
const OUT_OF_DATE = 'x509: certificate has expired or is not yet valid';

const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: OUT_OF_DATE,
  CERT_NOT_YET_VALID: OUT_OF_DATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN,
};
