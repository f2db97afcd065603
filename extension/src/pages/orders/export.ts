/** All orders that fit, as a file for spreadsheets. */
import type { Client } from "urql";
import {
  ExportOrdersDocument,
  type ExportOrdersQueryVariables,
  type OrderRowFragment,
} from "../../api/generated/graphql";

export type ExportedOrder = OrderRowFragment & { buyerName?: string | null };

/** Stopped by the user. */
export class Cancelled extends Error {}

/** What a spreadsheet would run as a formula is made text. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",;\r\n]/;

export function cell(value: string | null | undefined): string {
  const text = value ?? "";
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const line = (values: readonly (string | null | undefined)[]) =>
  `${values.map(cell).join(",")}\r\n`;

/** Amazon's own codes, ISO times and plain decimals: for programs as well as people. */
const VALUES: [string, (order: ExportedOrder) => string | null | undefined][] = [
  ["amazonOrderId", (order) => order.amazonOrderId],
  ["marketplace", (order) => order.marketplaceName],
  ["purchaseDate", (order) => order.createdAt],
  ["status", (order) => order.fulfillmentStatus],
  ["buyer", (order) => order.buyerName],
  ["fulfilledBy", (order) => order.fulfilledBy],
  ["shipBy", (order) => order.shipBy],
  ["total", (order) => order.total && decimal(order.total)],
  ["currency", (order) => order.total?.currency],
  ["importState", (order) => order.importState],
  ["orderNumber", (order) => order.orderNumber],
  ["updatedAt", (order) => order.updatedAt],
  ["note", (order) => order.blockers[0]?.message ?? order.note],
];

function decimal({ amount, currency }: { amount: number; currency: string }) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return amount.toFixed(format.resolvedOptions().maximumFractionDigits);
}

const shown = (withBuyer: boolean) =>
  VALUES.filter(([name]) => withBuyer || name !== "buyer");

export const header = (withBuyer: boolean) => line(shown(withBuyer).map(([name]) => name));

export const row = (order: ExportedOrder, withBuyer: boolean) =>
  line(shown(withBuyer).map(([, value]) => value(order)));

/** Page by page. Raises Cancelled, or what the shop answered. */
export async function collect(
  client: Client,
  variables: Omit<ExportOrdersQueryVariables, "after">,
  signal: AbortSignal,
  onProgress: (count: number) => void,
): Promise<Blob> {
  // The mark tells spreadsheets that it is UTF-8.
  const parts = ["\uFEFF", header(variables.withBuyer)];
  let after: string | null | undefined;
  let count = 0;
  do {
    const { data, error } = await client
      .query(
        ExportOrdersDocument,
        { ...variables, after },
        { requestPolicy: "network-only" },
      )
      .toPromise();
    if (signal.aborted) throw new Cancelled();
    if (error) throw error;
    const orders = data?.amazonOrders;
    for (const { node } of orders?.edges ?? []) parts.push(row(node, variables.withBuyer));
    count += orders?.edges.length ?? 0;
    onProgress(count);
    if (signal.aborted) throw new Cancelled();
    after = orders?.pageInfo.hasNextPage ? orders.pageInfo.endCursor : undefined;
  } while (after);
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

export function download(file: Blob, name: string) {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // After the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
