import { seeded } from './seeded.ts';

/** Statements as somebody writes them who wants to harm a recorder: some are refused, some run as long as they may. */

/** Each of these once took all memory, or could not be ended. */
export const knownHostile: readonly string[] = [
  ...[10, 20, 25].map(doubling),
  "SELECT count(*) FROM logs WHERE msg LIKE '%a_%a%a%a%a%a%a%b'",
  "SELECT count(*) FROM logs WHERE msg ILIKE '%a%b%'",
  'SELECT max(msg, 20000) OVER () FROM logs',
  `SELECT count(*) FROM ${Array.from({ length: 150 }, (_, n) => `logs l${n}`).join(', ')}`,
  'SELECT 1e400',
];

function doubling(levels: number): string {
  const named = Array.from({ length: levels }, (_, n) => `c${n + 1} AS (SELECT a.x FROM c${n} a, c${n} b)`);
  return `WITH c0 AS (SELECT 1 AS x), ${named.join()} SELECT count(*) FROM c${levels}`;
}

export function generateHostile(seed: number, count: number): string[] {
  const random = seeded(seed);
  const whole = (min: number, max: number) => min + Math.floor(random() * (max - min + 1));
  const pick = <T>(choices: readonly [T, ...T[]]): T => choices[whole(0, choices.length - 1)] ?? choices[0];
  const times = (max: number, make: (n: number) => string) =>
    Array.from({ length: whole(2, max) }, (_, n) => make(n));
  const text = () => pick(['a.msg', 'b.msg', 'a.msg || b.msg', 'upper(a.msg) || lower(b.msg)', 'md5(a.msg)']);
  const pattern = () => times(12, () => pick(['%', '_', '%a', 'a', '%_a'])).join('');
  const condition = () =>
    pick([
      () => `${text()} LIKE '${pattern()}'`,
      () => `${text()} ILIKE '${pattern()}'`,
      () => `regexp_matches(${text()}, '(${pick(['a*', 'a{1,50}', '.*.*', '\\pL+'])})+b')`,
      () => `${text()} = 'x'`,
      () => `hash(${text()}) % 7 = hash(a.time, b.time) % 11`,
    ])();
  const kinds = [
    () => doubling(whole(2, 25)),
    () =>
      `SELECT count(*) FROM logs a, ${times(30, (n) => `logs l${n}`).join(', ')}, logs b WHERE ${condition()}`,
    () => `SELECT count(*) FROM logs a, logs b WHERE ${times(6, condition).join(' OR ')}`,
    () => `SELECT ${pick(['median', 'mode', 'max', 'approx_count_distinct'])}(${text()}) FROM logs a, logs b`,
    () => `SELECT a.src, quantile_disc(${text()}, 0.5) FROM logs a, logs b GROUP BY ALL`,
    () => `SELECT DISTINCT ${text()}, a.time, b.time FROM logs a, logs b ORDER BY ALL`,
    () =>
      `SELECT ${pick(['max', 'min', 'quantile_disc'])}(a.msg, ${whole(1, 1_000_000)}) OVER (ORDER BY b.msg) FROM logs a, logs b`,
    () =>
      `SELECT sum(a.time) OVER (ORDER BY b.msg ROWS BETWEEN ${whole(1, 1e6)} PRECEDING AND CURRENT ROW) FROM logs a, logs b`,
    () => `SELECT ${'('.repeat(whole(1, 3000))}1`,
    () => `SELECT ${times(3000, () => '1 +').join(' ')} 1`,
    () => `SELECT ${times(400, () => 'CASE WHEN a.time > 0 THEN').join(' ')} 1 FROM logs a`,
    () =>
      `SELECT count(*) FROM logs a, logs b WHERE a.msg IN (${times(900, (n) => `'x${n}'`).join()}) OR ${condition()}`,
    () => times(60, () => 'SELECT a.* FROM logs a, logs b').join(' UNION ALL '),
    () =>
      `SELECT ${times(12, () => '*').join()} FROM (SELECT ${times(12, () => '*').join()} FROM logs a, logs b)`,
    () =>
      `SELECT (SELECT count(*) FROM logs b WHERE b.msg < a.msg AND (SELECT max(time) FROM logs c WHERE c.msg > b.msg) > 0) FROM logs a`,
    () => `SELECT ${pick(['pow(10, 400)', '10::DOUBLE ** 400', '1e400', '(9e307 * 9)::BIGINT'])} FROM logs a`,
  ] as const;
  return Array.from({ length: count }, (_, n) => (kinds[n % kinds.length] ?? kinds[0])());
}
