/** The filters of All orders: what the address says, and what the API is asked for it. */
import type {
  AmazonBlockerCode,
  AmazonImportState,
  AmazonOrderFilterInput,
  AmazonOrderSortField,
  AmazonOrderSortingInput,
  OrdersQueryVariables,
} from "../../api/generated/graphql";

export const PAGE_SIZE = 25;

export const STATES: AmazonImportState[] = [
  "WAITING",
  "READY",
  "IMPORTED",
  "BLOCKED",
  "IGNORED",
];

/** By the parameters they have in the address; those of a group make one chip. */
export const GROUPS = [
  ["q"],
  ["buyer"],
  ["state"],
  ["status"],
  ["by"],
  ["account"],
  ["marketplace"],
  ["from", "to"],
  ["shipFrom", "shipTo"],
  ["risk"],
  ["cancelling"],
  ["currency", "min", "max"],
  ["code", "cause"],
] as const;

export type Filter = (typeof GROUPS)[number][number];
export const FILTERS: readonly Filter[] = GROUPS.flat();

const AMAZON_NUMBER = /^\d{3}-\d{7}-\d{7}$/;
const AMOUNT = /^\d+(\.(\d{1,2}|\d{4,}))?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * `12,50` → `12.50`; nothing for what is no amount. `1,234` and `1.234` are a thousand
 * to some and little more than one to others, so they are none.
 */
export const amountOf = (text: string | null | undefined): string | undefined => {
  const amount = text?.trim().replace(",", ".") ?? "";
  return AMOUNT.test(amount) ? amount : undefined;
};

export const isDay = (text: string) => DAY.test(text) && !Number.isNaN(Date.parse(text));

export const listOf = (value: string | null): string[] =>
  value?.split(",").filter(Boolean) ?? [];

/** Days are the user's own, from their first moment to their last. */
function rangeOf(from: string | null, to: string | null) {
  const at = (day: string | null, time: string) =>
    day && isDay(day) ? new Date(`${day}T${time}`).toISOString() : undefined;
  const [gte, lte] = [at(from, "00:00:00"), at(to, "23:59:59.999")];
  return gte || lte ? { ...(gte && { gte }), ...(lte && { lte }) } : undefined;
}

export function filterOf(params: URLSearchParams): AmazonOrderFilterInput {
  const get = (name: Filter) => params.get(name);
  const list = (name: Filter) => {
    const values = listOf(get(name));
    return values.length ? values : undefined;
  };
  const number = get("q")?.trim();
  const [gte, lte] = [amountOf(get("min")), amountOf(get("max"))];
  const currency = get("currency");
  const filter: AmazonOrderFilterInput = {
    importState: list("state") as AmazonImportState[] | undefined,
    fulfillmentStatus: list("status"),
    fulfilledBy: get("by") ?? undefined,
    blockerCode: list("code") as AmazonBlockerCode[] | undefined,
    // A SKU may hold a comma.
    blockerSubject: get("cause") ? [get("cause") ?? ""] : undefined,
    accounts: list("account"),
    marketplaceIds: list("marketplace"),
    buyer: get("buyer")?.trim() || undefined,
    created: rangeOf(get("from"), get("to")),
    shipBy: rangeOf(get("shipFrom"), get("shipTo")),
    isAtRisk: get("risk") ? true : undefined,
    isCancellationRequested: get("cancelling") ? true : undefined,
    total:
      currency && (gte || lte)
        ? { currency, ...(gte && { gte }), ...(lte && { lte }) }
        : undefined,
    ...(number &&
      (AMAZON_NUMBER.test(number)
        ? { amazonOrderIds: [number] }
        : { orderNumbers: [number.replace(/^#/, "")] })),
  };
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined),
  );
}

const FIELDS: AmazonOrderSortField[] = [
  "CREATED_AT",
  "NUMBER",
  "SHIP_BY",
  "STATUS",
  "TOTAL",
];
export const NEWEST_FIRST = "-CREATED_AT";

/** `-TOTAL` is the largest first. */
export function sortOf(params: URLSearchParams): AmazonOrderSortingInput | undefined {
  const given = params.get("sort") ?? NEWEST_FIRST;
  const field = FIELDS.find((each) => each === given.replace(/^-/, ""));
  if (!field || given === NEWEST_FIRST) return undefined;
  return { field, direction: given.startsWith("-") ? "DESC" : "ASC" };
}

/** What the parameters of the address ask of the API. */
export function variablesOf(
  params: URLSearchParams,
): Omit<OrdersQueryVariables, "withBuyer"> {
  const before = params.get("before");
  const sortBy = sortOf(params);
  return {
    filter: filterOf(params),
    ...(sortBy && { sortBy }),
    ...(before
      ? { last: PAGE_SIZE, before }
      : { first: PAGE_SIZE, after: params.get("after") ?? undefined }),
  };
}
