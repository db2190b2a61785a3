/** Headers of every response, error responses included. */
export function securityHeaders(options: { readonly strictTransport: boolean }): Record<string, string> {
  return {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    // Not with a self-signed certificate: after it changes, browsers that saw this header refuse to connect for good.
    ...(options.strictTransport && { 'Strict-Transport-Security': 'max-age=31536000' }),
  };
}

/**
 * Content security policy of pages: scripts, styles, media and connections from our own origin only, and nothing
 * inline but one script, whose hash the document's route adds.
 */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  // The live view feeds its video elements through Media Source Extensions, which have blob addresses.
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
