/** What every answer carries, whatever it is and wherever it is made. */
export function securityHeaders(options: { readonly strictTransport: boolean }): Record<string, string> {
  return {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    // A browser that was told so would refuse us for good once a self-signed certificate changes.
    ...(options.strictTransport && { 'Strict-Transport-Security': 'max-age=31536000' }),
  };
}

/** For pages: scripts, styles and connections of our own origin, nothing written into the page itself. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
