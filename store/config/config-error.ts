/** The configuration file is unusable. The message is one line: file, key, expected value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
}
