import { crdYaml } from '../api/crd.ts';
import type { Output } from './output.ts';

/** Prints the CustomResourceDefinitions that the hub needs, as YAML for `kubectl apply -f -`. */
export function printCrds(out: Output): void {
  out.write(crdYaml());
}
