/** A Kubernetes quantity above 0 as text (apimachinery's resource.Quantity), e.g. `100Gi`, `0.5`, `1e3`. */
export function isQuantity(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const number = /^\+?(\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.exec(value)?.[1];
  return number !== undefined && Number(number) > 0;
}
