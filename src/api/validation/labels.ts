const prefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const name = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** What is wrong with a label (or, with an empty value, with an annotation's key) in Kubernetes' eyes; undefined if nothing. */
export function badLabel(key: string, value: string): string | undefined {
  const parts = key.split('/');
  const [last = ''] = parts.slice(-1);
  const host = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || !name.test(last) || (host !== undefined && (host.length > 253 || !prefix.test(host)))) {
    return `${JSON.stringify(key)} is not a key that Kubernetes takes: an optional DNS name and "/", then at most 63 letters, digits, "-", "_" and ".".`;
  }
  if (value !== '' && !name.test(value)) {
    return `${JSON.stringify(value)} is not a value that Kubernetes takes: at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit.`;
  }
  return undefined;
}

/** Labels by which CassKop finds its pods, and by which it takes orders for one of them. It copies a member's labels to all of them. */
const operatorKeys = new Set([
  'app',
  'cassandracluster',
  'dc-rack',
  'operation-name',
  'operation-status',
  'operation-argument',
  'operation-start',
  'operation-end',
]);

/** Why a label or annotation of the members is not the user's to set; undefined if it is. */
export function reservedKey(key: string): string | undefined {
  if (key.startsWith('ringmaster.dev/'))
    return 'Keys that begin with ringmaster.dev/ are kept for Ringmaster itself. Choose another one.';
  if (operatorKeys.has(key) || key.startsWith('cassandraclusters.db.orange.com')) {
    return `${key} has a meaning of its own for the regional operator. Choose another one.`;
  }
  return undefined;
}
