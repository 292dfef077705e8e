// The organisations that people belong to.
import { api, request } from "./api";
import { h } from "./dom";
import { say } from "./i18n";
import type { Text } from "./i18n";

export interface Organisation { code: string; kind: "operator" | "agency"; name: Text }

let known: Promise<Organisation[]> | undefined;

/** All organisations, asked for once; a failure is asked again. */
export function organisations(): Promise<Organisation[]> {
  known ??= request<{ organisations: Organisation[] }>(`${api}/organisations`).then((d) => d.organisations);
  known.catch(() => { known = undefined; });
  return known;
}

/** An organisation's name, and its code until the name is known; "—" for none. */
export function organisationText(code: string | null): HTMLElement {
  const text = h("span", {}, code || "—");
  const name = async () => {
    const found = (await organisations()).find((o) => o.code === code);
    if (found) text.textContent = `${say(found.name)} (${found.code})`;
  };
  // A name is a help only: without one the code stands.
  if (code) void name().catch(() => {});
  return text;
}
