import { expect, test } from "vitest";
import { filterOf } from "../orders/filters";
import { ordersOf } from "./blocked";

const place = { accountId: "QQ==", marketplaceId: "A1PA6795UKMFR9" };
const asked = (cause: Parameters<typeof ordersOf>[0]) =>
  filterOf(new URLSearchParams(ordersOf(cause)));

test("a cause leads to the orders that it keeps out", () => {
  expect(asked({ ...place, code: "UNKNOWN_SKU", subject: "CUP-9" })).toEqual({
    accounts: ["QQ=="],
    marketplaceIds: ["A1PA6795UKMFR9"],
    importState: ["BLOCKED"],
    blockerCode: ["UNKNOWN_SKU"],
    blockerSubject: ["CUP-9"],
  });
});

test("orders of a marketplace without a channel wait, and are found so", () => {
  expect(asked({ ...place, code: "NOT_MAPPED", subject: "" })).toEqual({
    accounts: ["QQ=="],
    marketplaceIds: ["A1PA6795UKMFR9"],
    importState: ["WAITING"],
    fulfillmentStatus: ["UNSHIPPED", "PARTIALLY_SHIPPED"],
    fulfilledBy: "MERCHANT",
  });
});
