/**
 * Orders two resourceVersions of one resource type of one cluster: negative, zero or positive like a comparison
 * function, or undefined when they are not comparable. Since Kubernetes 1.35 (KEP-5504) they are decimal numbers
 * without leading zeros, so the longer is the later, and among equally long ones the later sorts last.
 */
export function compareResourceVersions(left: string, right: string): number | undefined {
  if (left === right) return 0;
  if (!isNumber(left) || !isNumber(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : 1;
}

function isNumber(text: string): boolean {
  return /^[1-9][0-9]*$/.test(text);
}
