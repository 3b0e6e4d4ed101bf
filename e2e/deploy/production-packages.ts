import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
}

/** The folders (`node_modules/yaml`) that `npm ci --omit=dev --omit=optional` fills, by package-lock.json. */
export function productionPackages(repository: string): string[] {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, optional }]) => path !== '' && !dev && !devOptional && !optional)
    .map(([path]) => path);
}

/** Copies them from the repository into `target`, without what lies in their own node_modules and is not among them. */
export function copyProductionPackages(repository: string, target: string): void {
  for (const path of productionPackages(repository))
    cpSync(join(repository, path), join(target, path), {
      recursive: true,
      filter: (from) => !from.slice(join(repository, path).length).includes('/node_modules'),
    });
}
