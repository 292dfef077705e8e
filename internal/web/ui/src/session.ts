// Who is signed in, as the server says; signing in and out.
import { api, request, sessionOf } from "./api";
import type { Grant } from "./grants";

export interface Session {
  signed_in: boolean;
  name: string | null;
  person: { id: number; login: string; name: string; organisation: string | null } | null;
  organisation: string | null;
  grants: Grant[];
  csrf: string | null;
  expires_at: string | null;
  offers: { password: boolean; oidc: boolean };
}

let current: Session = {
  signed_in: false, name: null, person: null, organisation: null, grants: [], csrf: null, expires_at: null, offers: { password: true, oidc: false },
};

export function session(): Session { return current; }

/** Whether the one signed in keeps people, keys and settings. */
export function administers(): boolean { return current.grants.some((g) => g.role === "administrator"); }

/** Asks the server who is signed in. */
export async function learnSession(): Promise<void> { become(await request<Session>(`${api}/session`)); }

/** Signs in. The page is to be loaded again then: another person may see other rows. */
export async function signIn(login: string, password: string): Promise<void> {
  become(await request<Session>(`${api}/session`, { body: { login, password } }));
}

export async function signOut(): Promise<void> { await request(`${api}/session`, { method: "DELETE" }); }

/** Where the server sends the person to sign in elsewhere, and back to the page. */
export const singleSignOn = `${api}/session/oidc?return=/`;

/** Calls then, once, when the server no longer knows the session: it ran out, or the person was disabled. */
export function whenEnded(then: () => void): void {
  sessionOf.ended = () => {
    become({ ...current, signed_in: false, name: null, person: null, organisation: null, grants: [], csrf: null, expires_at: null });
    then();
  };
}

function become(next: Session): void {
  current = next;
  sessionOf.csrf = next.csrf;
}
