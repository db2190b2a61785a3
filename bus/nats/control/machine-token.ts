/**
 * A machine's name or address as one token of subjects, JetStream domains and database schemas: lower-case letters, digits and
 * dashes stay, any other byte becomes `_` and its hexadecimal digits.
 */
export const machineToken = (machine: string): string =>
  Array.from(Buffer.from(machine), (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
  }).join('');

/** The name or address that became this token. */
export const machineOfToken = (token: string): string =>
  decodeURIComponent(token.replace(/_([0-9a-f]{2})/g, '%$1'));
