import { lstatSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Image } from './image.ts';

/** What of this machine takes the place of the image's base: libraries, and what every container has. */
const fromMachine = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/proc', '/dev'];

// $1 is the image's root, $2 the host's name, then come pairs of a folder and its place in the container up to `--`; the rest is run.
const script = `set -eu
root=$1
hostname "$2"
shift 2
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mount --rbind "$1" "$root$2"
  mount -o remount,bind,ro "$root$2"
  shift 2
done
shift
mount -o remount,bind,ro "$root"
exec env -i "$@"
`;

export interface ContainerOptions {
  readonly image: Image;
  readonly args: readonly string[];
  readonly hostname?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folders by their place in the container. All are read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Numbers; default: the image's. */
  readonly user?: string;
}

/**
 * The command that runs an image's entry point as a container engine would: with the image's files as its root, nothing
 * of which can be written, as the image's user and with no environment but its own. Network and processes are the machine's.
 */
export function containerCommand({
  image,
  args,
  hostname = 'container',
  env = {},
  mounts = {},
  user = image.user,
}: ContainerOptions): string[] {
  for (const path of fromMachine) placeOf(image, path);
  for (const path of Object.keys(mounts)) mkdirSync(join(image.root, path), { recursive: true });
  const bound = fromMachine.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory());
  const all = [...bound.map((path) => [path, path]), ...Object.entries(mounts).map(([path, folder]) => [folder, path])];
  const variables = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...image.env, ...env };
  const namespaces = ['--mount', '--uts', '--propagation', 'private'];
  const apart = ['unshare', ...namespaces, 'sh', '-c', script, 'container', image.root, hostname];
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const inside = ['chroot', `--userspec=${user}`, '--groups=', image.root];
  const program = [...image.entrypoint, ...(args.length > 0 ? args : image.command)];
  return [...apart, ...all.flat(), '--', ...set, ...inside, ...program];
}

/** Debian's /lib is a link, and stays one; a folder needs a place to be put. */
function placeOf({ root }: Image, path: string): void {
  const here = lstatSync(path, { throwIfNoEntry: false });
  const place = join(root, path);
  if (here === undefined || lstatSync(place, { throwIfNoEntry: false })) return;
  mkdirSync(dirname(place), { recursive: true });
  if (here.isSymbolicLink()) symlinkSync(readlinkSync(path), place);
  else mkdirSync(place);
}
