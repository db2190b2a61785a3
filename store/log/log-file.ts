/** Name of the log's database file in the storage folder. */
export const logFileName = 'sentrybus.duckdb';
