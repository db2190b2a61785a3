/** The labels of one value, the value, and what is added to the family's name. */
export type MetricSample = readonly [
  labels: Readonly<Record<string, string>>,
  value: number,
  suffix?: '_sum' | '_count',
];

/** One metric in Prometheus' text format. @param name without `sentrybus_` */
export function family(
  name: string,
  type: 'counter' | 'gauge' | 'summary',
  help: string,
  samples: readonly MetricSample[],
): string {
  const full = `sentrybus_${name}`;
  const lines = samples.map(([labels, value, suffix = '']) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${full}${suffix}${pairs.length > 0 ? `{${pairs.join()}}` : ''} ${value}\n`;
  });
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

const escaped = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
