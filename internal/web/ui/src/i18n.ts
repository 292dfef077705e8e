// The language of the page: chosen by the person and remembered, else the browser's.
import { catalogue, type Key } from "./catalogue";

export type Language = "vi" | "en";

/** A text in both languages, as the API writes it. */
export interface Text { vi: string; en: string }

const memory = "hatang.language";
let current: Language = initial();

function initial(): Language {
  const chosen = remembered();
  if (chosen === "vi" || chosen === "en") return chosen;
  for (const tag of navigator.languages) {
    if (tag.toLowerCase().startsWith("vi")) return "vi";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "vi";
}

/** localStorage throws where the browser forbids it; the page then starts in the browser's language. */
function remembered(): string | null {
  try {
    return localStorage.getItem(memory);
  } catch {
    return null;
  }
}

export function language(): Language { return current; }

export function setLanguage(next: Language): void {
  current = next;
  try {
    localStorage.setItem(memory, next);
  } catch {
    // forbidden storage: the choice holds for this visit only
  }
}

/** The catalogue's text for a key, with {name} replaced. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const pair = catalogue[key];
  const text: string = current === "vi" ? pair[0] : pair[1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? formatNumber(value, 0) : value;
  });
}

/** The catalogue's text for a word the API gave, or the word itself when it is a new one. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return key in catalogue ? t(key as Key) : code;
}

/** A text of the API: one string, or one per language. */
export function say(text: unknown): string {
  if (typeof text === "string") return text;
  if (text && typeof text === "object" && "vi" in text && "en" in text) {
    return String(current === "vi" ? text.vi : text.en);
  }
  return "";
}

export function locale(): string { return current === "vi" ? "vi-VN" : "en-GB"; }

/** A number with at most so many decimals, or exactly so many. */
export function formatNumber(value: number, decimals: number, exactly = false): string {
  return value.toLocaleString(locale(), { maximumFractionDigits: decimals, ...(exactly && { minimumFractionDigits: decimals }) });
}

/** A civil date "2020-12-31" in the person's way of writing. */
export function formatDate(iso: string): string {
  const [year, month, day] = iso.split("-").map(Number);
  if (!year || !month || !day) return iso;
  // Vietnamese documents write 31/12/2020; Intl's medium style does not.
  const style: Intl.DateTimeFormatOptions = current === "vi" ? { day: "2-digit", month: "2-digit", year: "numeric" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(locale(), { ...style, timeZone: "UTC" }).format(Date.UTC(year, month - 1, day));
}

/** The time zone of the register; undefined is that of the browser, until the register has said its own. */
let zone: string | undefined;

/** Shows times from now on in a time zone, as "Asia/Ho_Chi_Minh"; one that the browser does not know is left. */
export function setTimeZone(name: string | undefined): void {
  try {
    zone = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    zone = undefined;
  }
}

/** The civil day "2020-12-31" of an instant where the register is. */
export function dayOf(at: Date): string {
  return new Intl.DateTimeFormat("sv", { dateStyle: "short", timeZone: zone }).format(at);
}

/** The last second of a civil day where the register is, as an instant. */
export function endOfDay(date: string): string {
  const end = Date.parse(`${date}T23:59:59Z`);
  const shown = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium", timeZone: zone }).format(end);
  return new Date(2 * end - Date.parse(`${shown.replace(" ", "T")}Z`)).toISOString();
}

/** The civil day of an instant where the register is, in the person's way of writing: deadlines are counted from it. */
export function formatDay(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.valueOf()) ? iso : formatDate(dayOf(at));
}

/** An instant "2026-11-28T09:40:13Z" in the person's way of writing, in the time zone of the register. */
export function formatTime(iso: string, seconds = false): string {
  const at = new Date(iso);
  if (Number.isNaN(at.valueOf())) return iso;
  const day: Intl.DateTimeFormatOptions = { day: "2-digit", month: current === "vi" ? "2-digit" : "short", year: "numeric" };
  return at.toLocaleString(locale(), { ...day, hour: "2-digit", minute: "2-digit", timeZone: zone, ...(seconds && { second: "2-digit" }) });
}
