/**
 * The version numbers at the start of an image's tag, e.g. [4, 0, 19] for `registry:5000/cassandra:v4.0.19-jdk11`;
 * undefined where the tag does not tell: no tag, a digest alone, `latest`, a date.
 */
export function imageVersion(image: string): number[] | undefined {
  const [named = ''] = image.split('@');
  const tag = /:([^:/]+)$/.exec(named)?.[1] ?? '';
  const digits = /^v?(\d+(?:\.\d+)*)(?![\w.])/.exec(tag)?.[1];
  const version = digits?.split('.').map(Number);
  const major = version?.[0] ?? versionMajorLimit;
  return major < versionMajorLimit ? version : undefined;
}

/** A larger first number is a date or a build number: no release of Cassandra or DSE comes near it. */
const versionMajorLimit = 100;

/** The numbers of a serverVersion such as 4.0.19; undefined unless it is two or three numbers. */
export function serverVersionNumbers(serverVersion: string): number[] | undefined {
  return /^\d+\.\d+(\.\d+)?$/.test(serverVersion) ? serverVersion.split('.').map(Number) : undefined;
}

/** Whether two versions are the same as far as both go: 4.0 agrees with 4.0.19. */
export function versionsAgree(one: readonly number[], other: readonly number[]): boolean {
  return one.slice(0, other.length).every((part, index) => part === other[index]);
}
