/** The name of the log's file in the storage folder. */
export const logFileName = 'sentrybus.duckdb';
