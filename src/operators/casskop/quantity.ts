const quantityPattern = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+|)$/;

const nano = 1_000_000_000n;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

/**
 * A Kubernetes quantity the way Go's resource.Quantity prints it: the largest suffix that leaves a whole number
 * (`1024Mi` is `1Gi`, `0.2` is `200m`, `1.5Gi` is `1536Mi`). CassKop writes quantities back in this form, and a field
 * that is spelt otherwise changes its owner at that moment. Anything that is no quantity comes back as it was.
 */
export function canonicalQuantity(text: string): string {
  const read = readQuantity(text);
  if (!read) return text;
  const { nanos, binary, sign } = read;
  if (nanos === 0n) return '0';
  // Binary suffixes hold whole numbers only: Go falls back to decimal for less than one unit.
  if (binary && nanos % nano === 0n) return sign + shortest(nanos / nano, 1024n, binarySuffixes);
  return sign + shortest(nanos, 1000n, decimalSuffixes);
}

/** Below 0 when `one` is less than `other`, 0 when they are equal, above when it is more; NaN when one is no quantity. */
export function compareQuantities(one: string, other: string): number {
  const [left, right] = [readQuantity(one), readQuantity(other)];
  if (!left || !right) return NaN;
  const difference = (left.sign === '-' ? -left.nanos : left.nanos) - (right.sign === '-' ? -right.nanos : right.nanos);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

function readQuantity(text: string): { nanos: bigint; binary: boolean; sign: string } | undefined {
  const match = quantityPattern.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || (whole === '' && fraction === '')) return undefined;
  const suffix = match[4] ?? '';
  if (/^[eE]/.test(suffix)) return undefined;
  const binary = suffix.endsWith('i');
  const scale = binary ? 1024n ** BigInt(binarySuffixes.indexOf(suffix)) * nano : 1000n ** decimalPower(suffix);
  const digits = BigInt(whole + fraction) * scale;
  const divisor = 10n ** BigInt(fraction.length);
  // Go rounds what a nano cannot hold up, away from zero.
  return { nanos: (digits + divisor - 1n) / divisor, binary, sign: match[1] === '-' ? '-' : '' };
}

function decimalPower(suffix: string): bigint {
  return BigInt(decimalSuffixes.indexOf(suffix));
}

function shortest(value: bigint, base: bigint, suffixes: readonly string[]): string {
  let rest = value;
  let power = 0;
  while (power < suffixes.length - 1 && rest % base === 0n) {
    rest /= base;
    power += 1;
  }
  return `${rest}${suffixes[power]}`;
}
