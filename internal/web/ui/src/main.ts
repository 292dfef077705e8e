// Puts the page together: asks what there is, draws panels and map, passes clicks on.
import type { Coordinate } from "ol/coordinate";
import { api, request, type Description, type LayerInfo } from "./api";
import { closeCard, renderCard } from "./card";
import type { Key } from "./catalogue";
import { AccountDialog } from "./dialog";
import { byId, fill, h } from "./dom";
import { showFeatures } from "./feature-card";
import { formatDate, language, setLanguage, setTimeZone, t, type Language } from "./i18n";
import { fetchFeature, MapLayer } from "./layers";
import { MapView, type Picked } from "./map";
import { attempt, clearNotices, notify } from "./notices";
import { CheckPanel, checkOf } from "./panel-check";
import { IndicatorsPanel } from "./panel-indicators";
import { LayersPanel } from "./panel-layers";
import { PermitsPanel } from "./panel-permits";
import { SharesPanel } from "./panel-shares";
import { SearchBox, type Hit } from "./search";
import { learnSession, session } from "./session";
import { askFor } from "./share-ask";
import { tabButtons } from "./tablist";

/** The layers that are on when the page opens. */
const atFirst = ["districts", "bts_sites", "postal_points"];
const allTabs = ["layers", "check", "indicators", "permits", "shares"] as const;
type Tab = (typeof allTabs)[number];

/** Proposals and requests to share are for who has signed in. */
function tabs(): readonly Tab[] { return session().signed_in ? allTabs : allTabs.filter((tab) => tab !== "permits" && tab !== "shares"); }

class Page {
  private readonly map: MapView;
  private readonly layers = new Map<string, MapLayer>();
  private readonly infos: Map<string, LayerInfo>;
  private readonly panels: { layers: LayersPanel; check: CheckPanel; indicators: IndicatorsPanel; permits: PermitsPanel; shares: SharesPanel };
  private readonly account: AccountDialog;
  private readonly search: SearchBox;
  private tab: Tab = "layers";

  constructor(private readonly description: Description) {
    this.infos = new Map(description.layers.map((l) => [l.name, l]));
    this.map = new MapView(description, (lonLat, at) => this.pick(lonLat, at));
    const panel = new LayersPanel(description, this.layers);
    description.layers.forEach((info, i) => {
      // Reversed, so that what is listed first lies on top.
      this.layers.set(info.name, new MapLayer(info, this.map, description.layers.length - i, () => panel.update(this.layer(info.name))));
    });
    this.panels = {
      layers: panel, check: new CheckPanel(description, this.map, (id) => this.filed(id)),
      indicators: new IndicatorsPanel(this.infos, this.map, (shown) => this.reveal(shown)), permits: new PermitsPanel(description, this.map),
      shares: new SharesPanel(description, this.map),
    };
    this.account = new AccountDialog(description.layers, () => this.renderBar());
    this.search = new SearchBox(this.infos, (hit) => this.find(hit));
    this.render();
    this.buttons();
  }

  /** Shows the territory and the first layers, then learns how much the others hold. */
  async start(): Promise<void> {
    await attempt(async () => this.map.home(await territory()));
    await Promise.all(atFirst.map((name) => attempt(() => this.layers.get(name)?.switch(true) ?? Promise.resolve())));
    document.body.dataset["ready"] = "true";
    this.follow();
    await attempt(async () => {
      for (const layer of this.layers.values()) await layer.learnCount();
    });
    document.body.dataset["counted"] = "true";
  }

  /** Opens what the address names (#proposal=ID or #sharing=NUMBER, as notices do), for who has signed in. */
  private follow(): void {
    const [, kind, name] = /^#(proposal=(?=\d{1,16}$)|sharing=(?=S-[0-9A-Z-]{1,30}$))(.+)$/.exec(location.hash) ?? [];
    if (kind === undefined || name === undefined || !session().signed_in) return;
    if (kind === "sharing=") {
      this.open("shares");
      void this.panels.shares.open(name);
      return;
    }
    this.open("permits");
    void this.panels.permits.open(Number(name), "");
  }

  private layer(name: string): MapLayer {
    const layer = this.layers.get(name);
    if (!layer) throw new Error(`no layer ${name}`);
    return layer;
  }

  private reveal(shown: boolean): void {
    for (const layer of this.layers.values()) layer.reveal(shown);
  }

  /** What a click does depends on the tab that is open. */
  private pick(lonLat: Coordinate, at: Coordinate): void {
    if (this.tab === "check") {
      this.panels.check.checkAt(lonLat);
      return;
    }
    const found = this.map.featuresAt(at);
    if (this.tab === "indicators") {
      const unit = found.find((p) => p.layer === "indicators");
      if (unit) this.panels.indicators.open(String(unit.feature.get("code")));
      return;
    }
    this.showFeatures(found);
    if (found.length > 0) this.map.reveal(at);
  }

  private showFeatures(found: Picked[]): void {
    showFeatures(found, this.infos, this.map, (one) => [checkOf(one, (id) => this.check(id)), askFor(one, (number) => this.asked(number))]);
  }

  /** Checks a mast of the register where it stands. */
  private check(id: number): void {
    this.open("check");
    this.panels.check.checkMast(id);
  }

  /** Shows a request to share that has just been made. */
  private asked(number: string): void {
    this.open("shares");
    void this.panels.shares.asked(number);
  }

  /** Shows a feature that was searched for: its card, and where it is. */
  private async find(hit: Hit): Promise<void> {
    const feature = await fetchFeature(hit.collection, hit.id);
    if (!feature) return;
    this.showFeatures([{ feature, layer: hit.collection }]);
    this.map.show(feature);
  }

  private render(): void {
    document.documentElement.lang = language();
    document.title = `Hatang · ${t("app.title")}`;
    this.renderBar();
    this.renderPanel();
    for (const tab of tabs()) this.panels[tab].render();
    this.map.say();
    renderCard();
    this.renderHint();
  }

  private renderBar(): void {
    const choice = (code: Language, name: string) => h("button", {
      type: "button", id: `language-${code}`, lang: code, "aria-pressed": String(language() === code), onclick: () => this.speak(code),
    }, name);
    fill(byId("bar"),
      h("div", { class: "brand" }, h("strong", {}, "Hatang"), h("h1", {}, t("app.title"))),
      this.search.element(),
      h("div", { class: "date", id: "reference-date", title: t("app.date.help"), "data-date": this.description.reference_date },
        h("span", {}, t("app.date")), " ", h("time", { datetime: this.description.reference_date }, formatDate(this.description.reference_date))),
      h("div", { class: "languages", role: "group", "aria-label": t("app.language") }, choice("vi", "Tiếng Việt"), choice("en", "English")),
      this.account.button());
  }

  private renderPanel(): void {
    const panel = byId("panel");
    panel.setAttribute("aria-label", t("app.panel"));
    const folded = panel.classList.contains("folded");
    fill(panel,
      h("div", { class: "tabs", role: "tablist" }, ...tabButtons("", tabs(), this.tab, (tab) => t(`tab.${tab}`), (tab) => this.open(tab)),
        h("button", {
          type: "button", class: "icon fold", "aria-label": t(folded ? "app.unfold" : "app.fold"), "aria-expanded": String(!folded),
          onclick: () => { panel.classList.toggle("folded"); this.renderPanel(); },
        }, folded ? "▲" : "▼")),
      ...tabs().map((tab) => h("div", { role: "tabpanel", id: `panel-${tab}`, "aria-labelledby": `tab-${tab}`, hidden: tab !== this.tab }, this.panels[tab].element)),
      h("div", { class: "about" }, h("a", { href: `${api}`, target: "_blank", rel: "noopener" }, "API"), " · ",
        h("a", { href: document.body.dataset["licences"] ?? "", target: "_blank", rel: "noopener" }, t("app.licences")),
        this.description.version && ` · ${this.description.version}`,
        this.description.basemap && ` · ${this.description.basemap.attribution}`));
  }

  private open(tab: Tab): void {
    if (tab !== this.tab) {
      closeCard();
      clearNotices();
      this.map.clear();
    }
    this.tab = tab;
    byId("panel").classList.remove("folded");
    this.renderPanel();
    this.renderHint();
    this.panels.indicators.show(tab === "indicators");
    if (tab === "check") void attempt(() => this.panels.check.learnOperators());
    if (tab === "permits" || tab === "shares") void this.panels[tab].load();
    byId(`tab-${tab}`).focus();
  }

  /** Shows a proposal that has just been filed. */
  private filed(id: number): void {
    this.open("permits");
    void this.panels.permits.open(id, t("file.done"));
  }

  private speak(code: Language): void {
    setLanguage(code);
    this.render();
    this.buttons();
    byId(`language-${code}`).focus();
  }

  private renderHint(): void {
    byId("stage").dataset["mode"] = this.tab;
    fill(byId("hint"), t(`hint.${this.tab}`));
  }

  private buttons(): void {
    document.getElementById("zoom")?.remove();
    const button = (key: Key, sign: string, act: () => void) => h("button", { type: "button", "aria-label": t(key), title: t(key), onclick: act }, sign);
    byId("map").after(h("div", { id: "zoom" },
      button("app.zoomIn", "+", () => this.map.zoom(1)), button("app.zoomOut", "−", () => this.map.zoom(-1)), button("app.home", "⌂", () => this.map.home())));
  }
}

interface Collections { collections: { id: string; extent?: { spatial?: { bbox?: number[][] } } }[] }

/** The box of the units, else of everything that has one. */
async function territory(): Promise<number[] | undefined> {
  const { collections } = await request<Collections>(`${api}/collections`);
  const box = (id: string) => collections.find((c) => c.id === id)?.extent?.spatial?.bbox?.[0];
  return box("provinces") ?? box("districts") ?? collections.map((c) => c.extent?.spatial?.bbox?.[0]).find((b) => b !== undefined);
}

async function main(): Promise<void> {
  fill(byId("bar"), h("p", { class: "loading" }, t("app.loading")));
  const [description] = await Promise.all([request<Description>("/ui/layers.json"), attempt(learnSession)]);
  setTimeZone(description.time_zone);
  const page = new Page(description);
  await page.start();
}

main().catch((cause: unknown) => {
  fill(byId("bar"), h("p", {}, t("error.title")));
  notify(cause);
});
