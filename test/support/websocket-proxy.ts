import { createServer } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { atEnd } from './cleanup.ts';

export interface WebSocketProxyOptions {
  /** The address that it listens on. */
  readonly host: string;
  readonly path: string;
  readonly tls?: ServerOptions;
}

/** WebSockets before a broker, whose own bind to no address in some builds. @returns the port. */
export async function startWebSocketProxy(
  brokerPort: number,
  { host, path, tls }: WebSocketProxyOptions,
): Promise<number> {
  const server = tls ? createTlsServer(tls) : createServer();
  const sockets = new WebSocketServer({ server, path, handleProtocols: () => 'mqtt' });
  sockets.on('connection', (socket) => {
    const stream = createWebSocketStream(socket);
    const broker = connect(brokerPort, '127.0.0.1');
    for (const end of [stream, broker]) {
      end.on('error', () => {
        stream.destroy();
        broker.destroy();
      });
    }
    stream.pipe(broker).pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  atEnd(async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
