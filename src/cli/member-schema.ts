import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { MemberSchema } from '../api/validation/members.ts';
import type { KubeObject } from '../kube/objects.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { UsageError } from './usage-error.ts';

/**
 * The schema that template, patches and overrides are checked against, from a YAML file that holds CassKop's CRD, as its chart ships it.
 * @throws UsageError when the file cannot be read or holds no such CRD.
 */
export function readMemberSchema(file: string): MemberSchema {
  let documents: unknown[];
  try {
    documents = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as unknown);
  } catch (error) {
    throw new UsageError(`--member-crd ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const crd = documents.find((each) => (each as KubeObject | null)?.metadata?.name === casskop.crdName);
  if (!crd) throw new UsageError(`--member-crd ${file}: there is no CustomResourceDefinition ${casskop.crdName} in it`);
  return casskop.writtenSchema(casskop.capabilities(crd as KubeObject));
}
