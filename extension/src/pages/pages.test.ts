import { expect, test } from "vitest";
import { canCancel } from "./order-details/cancel-dialog";
import { variablesOf } from "./orders/filters";

test.each([
  ["", { filter: {}, first: 25, after: undefined }],
  ["state=BLOCKED", { filter: { importState: ["BLOCKED"] }, first: 25, after: undefined }],
  [
    "status=UNSHIPPED&after=abc",
    { filter: { fulfillmentStatus: ["UNSHIPPED"] }, first: 25, after: "abc" },
  ],
  [
    "q=302-1234567-1234567&before=abc",
    { filter: { amazonOrderIds: ["302-1234567-1234567"] }, last: 25, before: "abc" },
  ],
  ["q=%2345", { filter: { orderNumbers: ["45"] }, first: 25, after: undefined }],
  [
    "code=UNKNOWN_SKU&cause=MUG-1",
    {
      filter: { blockerCode: ["UNKNOWN_SKU"], blockerSubject: ["MUG-1"] },
      first: 25,
      after: undefined,
    },
  ],
  [
    "account=QQ%3D%3D&marketplace=A1",
    { filter: { accounts: ["QQ=="], marketplaceIds: ["A1"] }, first: 25, after: undefined },
  ],
])("the address %s asks for %o", (query, variables) => {
  expect(variablesOf(new URLSearchParams(query))).toEqual(variables);
});

const order = {
  fulfilledBy: "MERCHANT",
  fulfillmentStatus: "UNSHIPPED",
  packages: [],
  outboxEntries: [],
};
const cancelling = (state: "PENDING" | "SUBMITTED" | "SUCCEEDED" | "FAILED") => [
  { kind: "CANCEL" as const, state },
];

test.each([
  [{}, true],
  [{ fulfilledBy: "AMAZON" }, false],
  [{ fulfillmentStatus: "PARTIALLY_SHIPPED" }, false],
  [{ fulfillmentStatus: "SHIPPED" }, false],
  [{ fulfillmentStatus: "CANCELLED" }, false],
  [{ packages: [{}] }, false],
  [{ outboxEntries: cancelling("PENDING") }, false],
  [{ outboxEntries: cancelling("SUBMITTED") }, false],
  [{ outboxEntries: cancelling("SUCCEEDED") }, false],
  // Amazon refused it: it can be tried again.
  [{ outboxEntries: cancelling("FAILED") }, true],
])("A13: an order with %o can be cancelled: %s", (changes, expected) => {
  expect(canCancel({ ...order, ...changes })).toBe(expected);
});
