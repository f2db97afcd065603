/** The columns that All orders offers, and which of them can be sorted by. */
import type { AmazonOrderSortField } from "../../api/generated/graphql";
import type { MessageId } from "../../i18n";

export interface Column {
  id: string;
  label: MessageId;
  sort?: AmazonOrderSortField;
  /** Where it begins: with what is new, late or large. */
  isDescendingFirst?: boolean;
  isEnd?: boolean;
  isOptional?: boolean;
}

export const COLUMNS = [
  { id: "number", label: "order.number", sort: "NUMBER" },
  { id: "placed", label: "order.placed", sort: "CREATED_AT", isDescendingFirst: true },
  { id: "status", label: "order.status", sort: "STATUS" },
  { id: "buyer", label: "order.buyer" },
  { id: "state", label: "order.inShop" },
  { id: "shipBy", label: "order.shipBy", sort: "SHIP_BY" },
  {
    id: "total",
    label: "order.total",
    sort: "TOTAL",
    isDescendingFirst: true,
    isEnd: true,
  },
  { id: "marketplace", label: "order.marketplace", isOptional: true },
  { id: "shopNumber", label: "order.shopNumber", isOptional: true },
  { id: "fulfilledBy", label: "order.fulfilledBy", isOptional: true },
  { id: "updated", label: "order.updated", isOptional: true },
  { id: "note", label: "order.note" },
] as const satisfies readonly Column[];

export type ColumnId = (typeof COLUMNS)[number]["id"];

/** It leads to the order, and stays. */
export const FIXED: ColumnId = "number";

export const DEFAULT_COLUMNS: readonly ColumnId[] = COLUMNS.filter(
  (column) => !("isOptional" in column),
).map(({ id }) => id);

/** Those of a list that exist, in their order; the usual ones where there is none. */
export function columnsOf(names: readonly string[] | undefined): readonly ColumnId[] {
  const chosen = COLUMNS.filter(({ id }) => names?.includes(id)).map(({ id }) => id);
  if (!chosen.length) return DEFAULT_COLUMNS;
  return chosen.includes(FIXED) ? chosen : [FIXED, ...chosen];
}
