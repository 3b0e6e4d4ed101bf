import type { Duplex } from 'node:stream';

/**
 * Who may write. Whatever changes a cluster passes it twice: when the request is made, and when its bytes reach the
 * socket, for in between a request may have waited for a connection, or the whole process may have stood still.
 */
export interface Fence {
  /**
   * Writes may be sent at this very moment. The signal aborts, with a KubeError `NotLeader` that may have acted, as soon
   * as they may not any more.
   * @throws KubeError `NotLeader` when they may not.
   */
  permit(): AbortSignal;
  /** Whether a request to `path` need not pass, because it is about the very Lease that decides. */
  exempts(path: string): boolean;
}

/**
 * Lets nothing be written to `socket` that `fence` does not permit at that moment: the write fails with the fence's error, and the
 * socket with it. What Node has queued passes here too, when it is handed to the operating system.
 */
export function fenceSocket<Socket extends Duplex>(socket: Socket, fence: Fence): Socket {
  const write = socket._write.bind(socket);
  const writeAll = socket._writev?.bind(socket);
  const isRefused = (callback: (error?: Error | null) => void): boolean => {
    try {
      fence.permit();
      return false;
    } catch (error) {
      callback(error as Error);
      socket.destroy(error as Error);
      return true;
    }
  };
  socket._write = (chunk, encoding, callback) => {
    if (!isRefused(callback)) write(chunk, encoding, callback);
  };
  if (writeAll) {
    socket._writev = (chunks, callback) => {
      if (!isRefused(callback)) writeAll(chunks, callback);
    };
  }
  return socket;
}
