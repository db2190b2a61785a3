/** Closes a WebSocket, and what it still brings is not heard. One that is still opening is closed when it is open. */
export function closeSocket(socket: WebSocket): void {
  socket.onmessage = null;
  socket.onclose = null;
  // Browsers complain on the console about a socket that is closed before.
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
  else socket.close(1000);
}
