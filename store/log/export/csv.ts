/** A line of CSV as RFC 4180 has it. Nothing between two commas is null, `""` is an empty text. */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(field).join()}\r\n`;
}

function field(value: unknown): string {
  if (value === null) return '';
  const text = String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
