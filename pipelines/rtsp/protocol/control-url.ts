const absolute = /^rtsps?:\/\//i;
const printable = /^[\x21-\x7e]{1,4096}$/;

/**
 * @param requested the URL that was described.
 * @param announced the answer's `Content-Base` or `Content-Location`, which may be missing, relative or nonsense.
 * @returns what the controls of the description are relative to.
 */
export function baseUrl(requested: string, announced: string | undefined): string {
  if (announced === undefined || !printable.test(announced)) return requested;
  if (absolute.test(announced)) return withoutCredentials(announced);
  return announced.startsWith('/') ? `${origin(requested)}${announced}` : requested;
}

/**
 * Joins as cameras expect it, which is not as RFC 3986 says: a relative control is appended to the whole base, its
 * query too, as in `rtsp://HOST/cam?channel=1` and `trackID=0`.
 *
 * @returns the base itself for `*` and for what cannot be sent.
 */
export function controlUrl(base: string, control: string): string {
  if (control === '*' || !printable.test(control)) return base;
  if (absolute.test(control)) return withoutCredentials(control);
  if (control.startsWith('?')) return `${base}${control}`;
  return `${base.replace(/\/$/, '')}/${control.replace(/^\//, '')}`;
}

/** A camera that echoes them must not make us write them into a request line. */
function withoutCredentials(url: string): string {
  return url.replace(/^(rtsps?:\/\/)[^/?#]*@/i, '$1');
}

function origin(url: string): string {
  return /^rtsps?:\/\/[^/?#]*/i.exec(url)?.[0] ?? url;
}
