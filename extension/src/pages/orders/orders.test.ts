import type { Client } from "urql";
import { expect, test } from "vitest";
import { columnsOf, DEFAULT_COLUMNS } from "./columns";
import { Cancelled, cell, collect, header, line, row } from "./export";
import { amountOf, filterOf, sortOf } from "./filters";
import { read } from "./preferences";

const params = (query: string) => new URLSearchParams(query);

test.each([
  ["status=UNSHIPPED,PENDING", { fulfillmentStatus: ["UNSHIPPED", "PENDING"] }],
  ["buyer=%20Anna%20", { buyer: "Anna" }],
  ["by=AMAZON", { fulfilledBy: "AMAZON" }],
  ["risk=1&cancelling=1", { isAtRisk: true, isCancellationRequested: true }],
  ["cause=A,B", { blockerSubject: ["A,B"] }],
  ["currency=EUR&min=1,50", { total: { currency: "EUR", gte: "1.50" } }],
  ["currency=EUR&min=1&max=20.5", { total: { currency: "EUR", gte: "1", lte: "20.5" } }],
  // An amount says nothing without its currency, and words say no amount.
  ["min=1&max=2", {}],
  ["currency=EUR&min=much", {}],
  ["from=yesterday", {}],
  ["from=2026-13-45", {}],
])("the filter of %s is %o", (query, filter) => {
  expect(filterOf(params(query))).toEqual(filter);
});

test("days are whole, and the user's own", () => {
  expect(filterOf(params("from=2026-03-01&to=2026-03-01"))).toEqual({
    created: {
      gte: new Date(2026, 2, 1).toISOString(),
      lte: new Date(new Date(2026, 2, 2).getTime() - 1).toISOString(),
    },
  });
});

test.each([
  ["", undefined],
  ["sort=-CREATED_AT", undefined],
  ["sort=PRICE", undefined],
  ["sort=-TOTAL", { field: "TOTAL", direction: "DESC" }],
  ["sort=SHIP_BY", { field: "SHIP_BY", direction: "ASC" }],
])("%s sorts by %o", (query, sort) => {
  expect(sortOf(params(query))).toEqual(sort);
});

test.each([
  ["12,50", "12.50"],
  [" 12 ", "12"],
  ["-1", undefined],
  ["1.000,50", undefined],
  ["1,234", undefined],
  ["1.234", undefined],
  ["1234.5", "1234.5"],
  ["", undefined],
])("%s is the amount %s", (text, amount) => {
  expect(amountOf(text)).toBe(amount);
});

test("columns come in one order, and the number is always there", () => {
  expect(columnsOf(["total", "placed", "weather"])).toEqual(["number", "placed", "total"]);
  expect(columnsOf(["weather"])).toEqual(DEFAULT_COLUMNS);
  expect(columnsOf(undefined)).toEqual(DEFAULT_COLUMNS);
});

test.each([
  ["plain", "plain"],
  ["=1+1", "'=1+1"],
  ["+49 30 1234", "'+49 30 1234"],
  ["-2", "'-2"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
  ['5" pipe, grey', '"5"" pipe, grey"'],
  ["two\nlines", '"two\nlines"'],
  [null, ""],
])("in a file %j is %j", (text, expected) => {
  expect(cell(text)).toBe(expected);
});

const order = {
  id: "1",
  amazonOrderId: "302-1",
  marketplaceId: "A1PA6795UKMFR9",
  marketplaceName: "Germany",
  fulfillmentStatus: "UNSHIPPED",
  fulfilledBy: "MERCHANT",
  createdAt: "2026-03-01T10:00:00+00:00",
  updatedAt: "2026-03-01T11:00:00+00:00",
  shipBy: null,
  importState: "BLOCKED" as const,
  isCancellationRequested: false,
  note: "A note",
  orderId: null,
  orderNumber: "45",
  sellerCentralUrl: null,
  total: { amount: 10.5, currency: "EUR" },
  blockers: [
    {
      code: "UNKNOWN_SKU" as const,
      subject: "MUG",
      message: "No MUG, sorry",
      calculated: null,
      stated: null,
      difference: null,
    },
  ],
  buyerName: "=cmd",
};

test("a line of the file", () => {
  expect(line(["a", "b"])).toBe("a,b\r\n");
  expect(row(order, true).split(",").slice(0, 9)).toEqual([
    "302-1",
    "Germany",
    "2026-03-01T10:00:00+00:00",
    "UNSHIPPED",
    "'=cmd",
    "MERCHANT",
    "",
    "10.50",
    "EUR",
  ]);
  expect(row({ ...order, total: { amount: 1200, currency: "JPY" } }, true)).toContain(
    ",1200,JPY,",
  );
  expect(row(order, true)).toContain('"No MUG, sorry"');
});

test("without the buyer's column the file has no buyer", () => {
  expect(header(false)).not.toContain("buyer");
  expect(row(order, false)).not.toContain("cmd");
  expect(row(order, false).split(",").length).toBe(row(order, true).split(",").length - 1);
});

test.each([
  [undefined, { views: [] }],
  ["not JSON", { views: [] }],
  ["{}", { views: [] }],
  ['{"views": "none", "columns": 1}', { views: [] }],
  [
    '{"columns": ["total"], "views": [{"name": "Late", "query": "risk=1"}, {"query": "x"}]}',
    { columns: ["total"], views: [{ name: "Late", query: "risk=1" }] },
  ],
])("preferences kept as %s are %o", (text, preferences) => {
  expect(read(text)).toEqual(preferences);
});

/** A shop that answers with these pages, or errors, in turn. */
function shop(...answers: unknown[]) {
  const asked: { after?: string }[] = [];
  const client = {
    query: (_document: unknown, variables: { after?: string }) => {
      asked.push(variables);
      return { toPromise: async () => answers.shift() };
    },
  } as unknown as Client;
  return { client, asked };
}

const page = (numbers: string[], endCursor?: string) => ({
  data: {
    amazonOrders: {
      pageInfo: { hasNextPage: Boolean(endCursor), endCursor },
      edges: numbers.map((amazonOrderId) => ({ node: { ...order, amazonOrderId } })),
    },
  },
});

test("an export goes through all pages, each once", async () => {
  const { client, asked } = shop(page(["1", "2"], "a"), page(["3"], "b"), page(["4"]));
  const counts: number[] = [];
  const { signal } = new AbortController();
  const file = await collect(client, { withBuyer: false }, signal, (n) => counts.push(n));
  const lines = (await file.text()).trimEnd().split("\r\n").slice(1);
  expect(lines.map((each) => each.split(",")[0])).toEqual(["1", "2", "3", "4"]);
  expect(asked.map(({ after }) => after)).toEqual([undefined, "a", "b"]);
  expect(counts).toEqual([2, 3, 4]);
});

test("an export that fails on the way gives no file", async () => {
  const error = new Error("The shop did not answer.");
  const { client } = shop(page(["1"], "a"), { error });
  const { signal } = new AbortController();
  await expect(collect(client, { withBuyer: false }, signal, () => {})).rejects.toBe(error);
});

test("an export that is cancelled asks for no further page", async () => {
  const { client, asked } = shop(page(["1"], "a"), page(["2"], "b"), page(["3"]));
  const controller = new AbortController();
  const collecting = collect(client, { withBuyer: false }, controller.signal, () =>
    controller.abort(),
  );
  await expect(collecting).rejects.toThrow(Cancelled);
  expect(asked.length).toBe(1);
});
