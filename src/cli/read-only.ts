import type { Fence } from '../kube/fence.ts';
import { KubeError } from '../kube/errors.ts';

/**
 * Lets no request of a command that only looks change anything, whatever mistake there is in it.
 * @param command whose name the error says
 * @param asks paths of questions that are POSTs all the same, such as the reviews of rights; the server stores nothing of them
 */
export function readOnly(command: string, asks: readonly string[] = []): Fence {
  return {
    permit: () => {
      throw new KubeError('NotLeader', `ringmaster ${command} writes nothing`, { mayHaveActed: false });
    },
    exempts: (path) => asks.includes(path),
  };
}
