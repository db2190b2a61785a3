/** The part of unix-dgram 2.0 that is used here; the package has no types. */
declare module 'unix-dgram' {
  export interface UnixDatagramSocket {
    /** Reports failures of `connect` and `bind` at once, while they are called. */
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'connect' | 'listening', listener: () => void): this;
    on(event: 'message', listener: (message: Buffer) => void): this;
    bind(path: string): void;
    connect(path: string): void;
    /** Only once connected. The callback is called before this returns. */
    send(message: Buffer, callback: (error?: Error) => void): void;
    close(): void;
  }
  export function createSocket(type: 'unix_dgram'): UnixDatagramSocket;
}
