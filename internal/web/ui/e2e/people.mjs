// People of the tests: made by an administrator's key, signed in on the page.
import { open, server } from "./suite.mjs";

export const password = "Hoa ban trang 1954 tren doi";
export const adminKey = await server.key();

export function asAdministrator(method, path, body) {
  return withKey(adminKey, path, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

export function withKey(key, path, { headers = {}, ...init } = {}) {
  return fetch(server.url + path, { ...init, headers: { ...headers, Authorization: `Bearer ${key}` } });
}

/** Opens the dialog and sends the form. */
export async function tryToSignIn(page, login, word) {
  if (!(await page.locator("#signin").isVisible())) await page.locator("#session-button").click();
  await page.locator("#signin-login").fill(login);
  await page.locator("#signin-password").fill(word);
  await page.keyboard.press("Enter");
}

/** Signs in and waits until the page, loaded again, has counted its layers. */
export async function signIn(page, person) {
  await tryToSignIn(page, person.login, person.password);
  await page.locator("#session-button.known", { hasText: person.name }).waitFor();
  await page.locator("body[data-counted]").waitFor({ timeout: 60_000 });
}

export async function signedIn(person, options) {
  const o = await open(options);
  await signIn(o.page, person);
  return o;
}

/** Chromium says in the console that an answer was a 4xx: expected here. Anything else is not. */
export const unexpected = (complaints) => complaints.filter((c) => !/^Failed to load resource: the server responded with a status of 4\d\d/.test(c));
