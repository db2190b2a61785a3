/** One way to log in that a camera offers in a `WWW-Authenticate` header. */
export interface Challenge {
  /** In lower case: `basic`, `digest`, … */
  readonly scheme: string;
  /** By name in lower case; values without their quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;

/** Reads headers of one or more challenges each, in any order. What is no challenge in them is skipped. */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(parseHeader);
}

function parseHeader(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  while (at < header.length) {
    const current = challenges.at(-1);
    parameter.lastIndex = at;
    const found = current && parameter.exec(header);
    if (found) {
      const [whole, name = '', quoted, plain = ''] = found;
      // The first of two equal ones counts.
      const key = name.toLowerCase();
      if (!current.parameters.has(key)) {
        current.parameters.set(key, quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
      }
      at += whole.length;
      continue;
    }
    token.lastIndex = at;
    const scheme = token.exec(header)?.[0];
    if (scheme) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    at += scheme?.length ?? 1;
  }
  return challenges;
}
