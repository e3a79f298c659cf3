/** Numbers and names as the interface writes them. */

/** `0.3 s`, `12 s`, `2 min`, `2 min 5 s`. */
export function seconds(value: number): string {
  if (value < 9.95) {
    return `${value.toFixed(1)} s`;
  }
  const whole = Math.round(value);
  if (whole < 60) {
    return `${whole} s`;
  }
  const rest = whole % 60;
  return `${Math.floor(whole / 60)} min` + (rest && whole < 600 ? ` ${rest} s` : '');
}

/** `1,904`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 step`, `5 steps`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Bytes in the units of disks: `940 MB`, `1.1 GB`. */
export function bytes(value: number): string {
  return value < 1e9 ? `${Math.round(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

/** `③`; Unicode has circled numbers up to 50. */
export function circled(number: number): string {
  if (number >= 1 && number <= 20) {
    return String.fromCodePoint(0x2460 + number - 1);
  }
  if (number <= 35) {
    return String.fromCodePoint(0x3251 + number - 21);
  }
  return number <= 50 ? String.fromCodePoint(0x32b1 + number - 36) : `(${number})`;
}

/** `14:02`, from seconds since the epoch. */
export function clock(time: number): string {
  return new Date(time * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/** The last part of a path. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
