import { serviceTypes } from "./serviceTypes.ts";

const sorts = ["price", "latency", "completions", "newest"] as const;

export interface MarketView {
  readonly search: string;
  readonly serviceType: number | undefined;
  /** The exact name of a model. */
  readonly model: string | undefined;
  /** Native coin for a minute, as somebody wrote it. */
  readonly mostPerMinute: string;
  readonly readyOnly: boolean;
  readonly sort: (typeof sorts)[number];
  readonly layout: "list" | "cards";
}

export const wholeMarket: MarketView = {
  search: "",
  serviceType: undefined,
  model: undefined,
  mostPerMinute: "",
  readyOnly: false,
  sort: "price",
  layout: "list",
};

type Asked = Readonly<Record<string, string | string[] | undefined>>;

/** The view that an address asks for, so that it can be shared; what it does not understand is left out. */
export function viewFrom(asked: Asked): MarketView {
  const text = (key: string, longest = 64) => (typeof asked[key] === "string" ? asked[key].slice(0, longest) : undefined);
  const serviceType = serviceTypes.findIndex((name) => name.toLowerCase() === text("service"));
  return {
    search: text("q") ?? "",
    serviceType: serviceType < 0 ? undefined : serviceType,
    model: text("model"),
    mostPerMinute: /^\d{0,12}(\.\d{0,18})?$/.test(text("most") ?? "") ? (text("most") ?? "") : "",
    readyOnly: text("ready") === "1",
    sort: sorts.find((sort) => sort === text("sort")) ?? "price",
    layout: text("as") === "cards" ? "cards" : "list",
  };
}

/** The query of an address that shows this view. */
export function addressOf({ search, serviceType, model, mostPerMinute, readyOnly, sort, layout }: MarketView): string {
  const asked = new URLSearchParams();
  if (search) asked.set("q", search);
  if (serviceType !== undefined) asked.set("service", serviceTypes[serviceType]?.toLowerCase() ?? "");
  if (model !== undefined) asked.set("model", model);
  if (mostPerMinute) asked.set("most", mostPerMinute);
  if (readyOnly) asked.set("ready", "1");
  if (sort !== "price") asked.set("sort", sort);
  if (layout === "cards") asked.set("as", "cards");
  return asked.size > 0 ? `?${asked}` : "";
}
