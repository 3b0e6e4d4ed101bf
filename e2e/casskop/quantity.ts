const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d+))$/;

/** A quantity in nano-units, and how it was written: 1Ki, 1k or 1e3. */
interface Quantity {
  nano: bigint;
  notation: 'binary' | 'decimal' | 'exponent';
}

/** @throws RangeError when `text` is no Kubernetes quantity. */
function parse(text: string): Quantity {
  const match = form.exec(text);
  const [, sign, whole = '', fraction = '', binarySuffix, decimalSuffix, exponent] = match ?? [];
  if (!match || whole + fraction === '') throw new RangeError(`not a quantity: ${text}`);
  const power = exponent === undefined ? 3 * (decimal.indexOf(decimalSuffix ?? '') - 3) : Number(exponent);
  const factor = binarySuffix ? 1024n ** BigInt(binary.indexOf(binarySuffix)) : 1n;
  const digits = BigInt(whole + fraction) * factor;
  const shift = 9 + (binarySuffix ? 0 : power) - fraction.length;
  const nano = shift >= 0 ? digits * 10n ** BigInt(shift) : roundUp(digits, 10n ** BigInt(-shift));
  const notation = binarySuffix ? 'binary' : exponent === undefined ? 'decimal' : 'exponent';
  return { nano: sign === '-' ? -nano : nano, notation };
}

function roundUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

/**
 * A quantity as Kubernetes writes it back: no fraction, the largest suffix that divides it (1024Mi -> 1Gi, 0.2 -> 200m,
 * 1000 -> 1k). Numbers are taken as their decimal text.
 * @throws RangeError when it is no Kubernetes quantity.
 */
export function canonicalQuantity(value: string | number): string {
  const { nano, notation } = parse(String(value));
  if (nano === 0n) return '0';
  const one = 1_000_000_000n;
  if (notation === 'binary' && nano % one === 0n) {
    let units = nano / one;
    let suffix = 0;
    while (units % 1024n === 0n && suffix < binary.length - 1) {
      units /= 1024n;
      suffix++;
    }
    return `${units}${binary[suffix]}`;
  }
  let units = nano;
  let suffix = 0;
  while (units % 1000n === 0n && suffix < decimal.length - 1) {
    units /= 1000n;
    suffix++;
  }
  if (notation === 'exponent' && suffix !== 3) return `${units}e${3 * (suffix - 3)}`;
  return `${units}${decimal[suffix]}`;
}

/** The quantity in whole units, bytes for memory, rounded up. */
export function quantityValue(value: string): number {
  return Number(roundUp(parse(value).nano, 1_000_000_000n));
}

/** Negative, 0 or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: string, b: string): number {
  const difference = parse(a).nano - parse(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
