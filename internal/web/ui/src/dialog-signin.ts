// The form that signs in, and the way to sign in elsewhere.
import { Problem } from "./api";
import { h } from "./dom";
import { field, form, password } from "./forms";
import { t } from "./i18n";
import { session, signIn, singleSignOn } from "./session";

/** What the dialog holds when nobody is signed in; over when a session has just ended. */
export function drawSignIn(over: boolean): HTMLElement[] {
  const { offers } = session();
  const elsewhere = h("a", { class: "primary other", id: "signin-elsewhere", href: singleSignOn }, t("signin.elsewhere"));
  return [
    h("p", { class: over ? "note" : "intro" }, t(over ? "signin.over" : "signin.intro")),
    ...(offers.password ? [passwordForm()] : []),
    ...(offers.password && offers.oidc ? [h("p", { class: "or", "aria-hidden": "true" }, t("signin.or"))] : []),
    ...(offers.oidc ? [elsewhere] : []),
  ];
}

function passwordForm(): HTMLElement {
  const login = h("input", { name: "login", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
  return form({
    id: "signin", submit: t("session.signIn"), words: inWords,
    act: async (values) => {
      await signIn(values["login"] ?? "", values["password"] ?? "");
      location.reload(); // another person may see other rows
    },
  }, field("signin-login", t("person.login"), login), field("signin-password", t("person.password"), password("password", "current-password")));
}

function inWords(problem: Problem): Problem {
  if (problem.status === 401) return new Problem(t("signin.wrong"), t("signin.wrong.detail"));
  if (problem.status === 429) return new Problem(t("signin.tooOften"), problem.wait ? t("signin.wait", { time: timeText(problem.wait) }) : t("signin.waitSome"));
  return problem;
}

function timeText(seconds: number): string {
  return seconds < 90 ? t("time.seconds", { n: seconds }) : t("time.minutes", { n: Math.ceil(seconds / 60) });
}
