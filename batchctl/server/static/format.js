/* Numbers, times and names as people read them. Every function gives a text; null is an en dash or "unknown". */

const NONE = "–";
const counts = new Intl.NumberFormat("en-US");
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function count(number) {
  return number === null || number === undefined ? NONE : counts.format(number);
}

/** "1 row", "2 rows"; the plural adds an s. */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A count in at most four characters: 950, 1.2k, 34k, 5.6M. */
export function short(number) {
  if (number === null || number === undefined) return NONE;
  for (const [size, unit] of [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (number >= size) return `${round(number / size)}${unit}`;
  }
  return String(number);
}

function round(number) {
  return number < 10 ? (Math.floor(number * 10) / 10).toString() : String(Math.floor(number));
}

export function bytes(number) {
  if (number === null || number === undefined) return NONE;
  for (const [size, unit] of [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ]) {
    if (number >= size) return `${(number / size).toFixed(1)} ${unit}`;
  }
  return `${number} B`;
}

/** A share of a whole; a small one never reads as none, and an incomplete one never as all. */
export function percent(part, whole) {
  if (!whole) return NONE;
  const share = (100 * part) / whole;
  if (share > 0 && share < 1) return "<1%";
  if (share > 99 && share < 100) return ">99%";
  return `${Math.round(share)}%`;
}

/** Seconds in their two largest units: 45s, 3m 20s, 2h 5m, 4d 3h. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return pair(whole, MINUTE, "m", 1, "s");
  if (whole < DAY) return pair(whole, HOUR, "h", MINUTE, "m");
  return pair(whole, DAY, "d", HOUR, "h");
}

function pair(seconds, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeUnit}${rest ? ` ${rest}${smallUnit}` : ""}`;
}

/** Milliseconds since the epoch; null stays null. */
export function instant(time) {
  return time ? Date.parse(time) : null;
}

/** "14:05:09", with the date in front if it is not the day of `now`. In the reader's time zone. */
export function clock(time, now) {
  if (!time) return NONE;
  const date = new Date(time);
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return sameDay(date, new Date(now)) ? text : `${day(date)} ${text}`;
}

/** "14:05", with the date in front if it is not the day of `now`. */
export function hour(time, now) {
  if (!time) return NONE;
  const date = new Date(time);
  const text = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return sameDay(date, new Date(now)) ? text : `${day(date)} ${text}`;
}

export function day(date) {
  return `${date.getDate()} ${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.getMonth()]}`;
}

function sameDay(one, other) {
  return one.toDateString() === other.toDateString();
}

function two(number) {
  return String(number).padStart(2, "0");
}

/** The decimals of an amount of money: never an exponent, which is how JavaScript writes very small numbers. */
function decimals(value) {
  return value === 0 || value >= 0.01 ? 2 : Math.min(1 - Math.floor(Math.log10(value)), 20);
}

/** Money, which comes as a decimal text, rounded to cents; below a cent, to two digits that say something. */
export function money(amount, currency) {
  if (amount === null || amount === undefined) return "unknown";
  const value = Math.abs(Number(amount));
  const [whole, cents] = value.toFixed(decimals(value)).split(".");
  const unit = currency === "USD" ? "$" : `${currency ?? ""} `.trimStart();
  return `${amount.startsWith("-") ? "−" : ""}${unit}${counts.format(whole)}.${cents}`;
}

/** "$0.26–0.78", one amount if both are the same, "from" or "up to" if one is not known; "unknown" without an estimate. */
export function moneyRange(estimate) {
  const least = estimate?.low ?? estimate?.input ?? null;
  if (least === null && (estimate?.high ?? null) === null) return "unknown";
  if (estimate.high === null) return `from ${money(least, estimate.currency)}`;
  if (estimate.low === null) return `up to ${money(estimate.high, estimate.currency)}`;
  const low = money(estimate.low, estimate.currency);
  const high = money(estimate.high, estimate.currency);
  return low === high ? low : `${low}–${high.replace(/^\D+/, "")}`;
}

/** "PENDING" for JOB_STATE_PENDING. */
export function stateName(state) {
  return state ? state.replace(/^(JOB|BATCH)_STATE_/, "") : NONE;
}

/** "59 of 64 rows good, 2 failed"; empty if the numbers are not known. */
export function rowsWords(rows) {
  if (!rows || rows.total === null) return "";
  if (rows.ok === null) return `${count(rows.total)} rows`;
  return `${count(rows.ok)} of ${count(rows.total)} rows good${rows.failed ? `, ${count(rows.failed)} failed` : ""}`;
}
