import { describe, expect, inject, test } from "vitest";
import {
  type AnOrder,
  anOrder,
  ask,
  dashboardPath,
  expectAccessible,
  frame,
  inspect,
  narrow,
  open,
  openOrder,
  orders,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

const NEXT = {
  importState: ["IMPORTED"],
  fulfillmentStatus: ["UNSHIPPED"],
  fulfilledBy: "MERCHANT",
};

const rows = () => frame().locator("tbody tr");

describe("all Amazon orders", () => {
  test("A2, C3: the list has Amazon's numbers, and what there is to know", async () => {
    await inspect("orders", "/orders", (pages) =>
      pages.locator("tbody tr").first().waitFor(),
    );
    expect(await frame().locator("thead th").allInnerTexts()).toEqual([
      "Amazon order number",
      "Purchase date",
      "Status",
      "Buyer",
      "In the shop",
      "Ship by",
      "Total",
      "Note",
      "Details",
    ]);
    const newest = await orders({});
    const numbers = await rows().locator("td:first-child").allInnerTexts();
    expect(numbers).toEqual(newest.slice(0, 25).map(({ amazonOrderId }) => amazonOrderId));
  });

  test("A3: the number leads to the shop's order, or else to Amazon's details", async () => {
    const imported = await anOrder({ importState: ["IMPORTED"] });
    const pages = await open(`/orders?q=${imported.amazonOrderId}`);
    await pages.getByRole("link", { name: imported.amazonOrderId, exact: true }).click();
    await expect
      .poll(dashboardPath)
      .toBe(`/orders/${encodeURIComponent(imported.orderId ?? "")}`);

    const blocked = await anOrder({ importState: ["BLOCKED"] });
    await open(`/orders?q=${blocked.amazonOrderId}`);
    await frame().getByRole("link", { name: blocked.amazonOrderId, exact: true }).click();
    await expect.poll(dashboardPath).toBe(`app:/orders/${blocked.amazonOrderId}`);
    await frame().getByRole("heading", { name: blocked.amazonOrderId }).waitFor();
  });

  test("A6, C4: filters are in the address, survive a reload, and are cleared", async () => {
    const blocked = await orders({ importState: ["BLOCKED"] });
    const pages = await open("/orders");
    await pages.getByLabel("In the shop").selectOption("Blocked");
    await expect.poll(() => rows().count()).toBe(blocked.length);
    expect(dashboardPath()).toBe("app:/orders?state=BLOCKED");
    await shoot("orders-filtered");
    await expectAccessible();

    await page.reload();
    await expect.poll(() => rows().count()).toBe(blocked.length);
    await frame().getByText(`${blocked.length} orders`).waitFor();

    await frame().getByRole("button", { name: "Clear all" }).click();
    await expect.poll(() => rows().count()).toBe(25);
    expect(dashboardPath()).toBe("app:/orders");
  });

  test("C4: next and previous page", async () => {
    const all = (await orders({})).map(({ amazonOrderId }) => amazonOrderId);
    const pages = await open("/orders");
    const first = () => rows().locator("td:first-child").first().innerText();
    await expect.poll(first).toBe(all[0]);
    const previous = pages.getByRole("button", { name: "Previous" });
    expect(await previous.isDisabled()).toBe(true);
    await pages.getByRole("button", { name: "Next" }).click();
    await expect.poll(first).toBe(all[25]);
    await previous.click();
    await expect.poll(first).toBe(all[0]);
  });

  test("A6: an order is found by either number", async () => {
    const order = await anOrder(NEXT);
    for (const number of [order.amazonOrderId, order.orderNumber ?? ""]) {
      const pages = await open("/orders");
      await pages.getByLabel("Order number").fill(number);
      await pages.getByLabel("Order number").press("Enter");
      await expect.poll(() => rows().count()).toBe(1);
      await pages.getByRole("link", { name: order.amazonOrderId, exact: true }).waitFor();
    }
  });

  test("no order fits: said, with what to do", async () => {
    await inspect("orders-none", "/orders?q=999-9999999-9999999", (pages) =>
      pages.getByText("No order fits").waitFor(),
    );
  });

  test("a narrow window", async () => {
    await narrow(() =>
      inspect("orders-narrow", "/orders", (pages) =>
        pages.locator("tbody tr").first().waitFor(),
      ),
    );
  });
});

describe("Amazon order details", () => {
  test("C5, A7: order and shipping, items, tracking, activity", async () => {
    const order = await anOrder(NEXT);
    const at = `/orders/${order.amazonOrderId}`;
    await inspect("order-shipping", at, (pages) => pages.getByText("Ship to").waitFor());
    await frame().getByText("Paid to Amazon").waitFor();
    for (const [tab, text] of [
      ["Items", "Seller SKU"],
      ["Tracking", "No package was shipped"],
      ["Activity", "Timeline"],
    ] as const) {
      await frame().getByRole("link", { name: tab }).click();
      await frame().getByText(text).first().waitFor();
      await expect.poll(dashboardPath).toBe(`app:${at}?tab=${tab.toLowerCase()}`);
      await expectAccessible();
      await shoot(`order-${tab.toLowerCase()}`);
    }
    await frame().getByRole("link", { name: "Back to Amazon orders" }).click();
    await frame().getByRole("heading", { name: "Amazon orders" }).waitFor();
  });

  test("C5: packages with tracking, which Amazon knows", async () => {
    // The demo has shipped one in two packages.
    const all = await orders({ importState: ["IMPORTED"] });
    const shipped = all.find(({ packages }) => packages.length === 2);
    await inspect(
      "order-packages",
      `/orders/${shipped?.amazonOrderId}?tab=tracking`,
      (pages) => pages.getByText("Known to Amazon").first().waitFor(),
    );
    for (const { trackingNumber } of shipped?.packages ?? []) {
      await frame().getByText(trackingNumber).first().waitFor();
    }
    expect(await frame().getByRole("button", { name: "Cancel order" }).count()).toBe(0);
  });

  test("C5: an order that Amazon fulfils says that it has no personal data", async () => {
    const order = await anOrder({ fulfilledBy: "AMAZON", importState: ["IMPORTED"] });
    await inspect("order-fba", `/orders/${order.amazonOrderId}`, (pages) =>
      pages.getByText("Amazon ships this order").waitFor(),
    );
    expect(await frame().getByRole("button", { name: "Cancel order" }).count()).toBe(0);
  });

  test("D1: a blocked order says why, and is retried", async () => {
    const order = await anOrder({ blockerCode: ["UNKNOWN_SKU"] });
    await inspect("order-blocked", `/orders/${order.amazonOrderId}`, (pages) =>
      pages.getByText("This order cannot be imported yet").waitFor(),
    );
    await frame().getByRole("button", { name: "Retry import" }).click();
    await page.getByText("The order is looked at again").waitFor();
  });

  test("C5, D4: the address is editable when the import failed on it, and then goes on", async () => {
    const id = await orderWithBadAddress();
    await inspect("order-bad-address", `/orders/${id}`, (pages) =>
      pages.getByRole("button", { name: "Edit address" }).waitFor(),
    );
    await frame().getByRole("button", { name: "Edit address" }).click();
    const dialog = frame().getByRole("dialog", { name: "Edit address" });
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog
      .getByText(/valid|required/i)
      .first()
      .waitFor();
    await expectAccessible();
    await shoot("order-address-refused");
    await dialog.getByLabel("Postal code").fill("10115");
    await dialog.getByLabel("City", { exact: true }).fill("Berlin");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await expect
      .poll(async () => (await orders({ amazonOrderIds: [id] }))[0]?.orderNumber, {
        timeout: 40_000,
        interval: 1000,
      })
      .toBeTruthy();
    await open(`/orders/${id}`);
    await frame().getByText("Entered by staff in place of").waitFor();
  });

  test("A13: an unshipped order is cancelled with a reason, on Amazon first", async () => {
    const order = await untouched();
    const pages = await open(`/orders/${order.amazonOrderId}`);
    await pages.getByRole("button", { name: "Cancel order" }).click();
    const dialog = pages.getByRole("dialog", {
      name: `Cancel order ${order.amazonOrderId}?`,
    });
    await dialog.getByLabel("Reason").selectOption("The price was wrong");
    await expectAccessible();
    await shoot("order-cancel");
    await dialog.getByRole("button", { name: "Cancel order" }).click();
    await dialog.waitFor({ state: "detached" });
    await expect
      .poll(() => pages.getByRole("button", { name: "Cancel order" }).count())
      .toBe(0);
    await pages.getByRole("link", { name: "Activity" }).click();
    await pages.getByRole("cell", { name: "Cancellation", exact: true }).waitFor();
    const [after] = await orders({ amazonOrderIds: [order.amazonOrderId] });
    expect(after?.outboxEntries.map(({ kind }) => kind)).toEqual(["CANCEL"]);
  });

  test("an order that is not known here", async () => {
    await inspect("order-unknown", "/orders/999-9999999-9999999", (pages) =>
      pages.getByText("This order is not known here").waitFor(),
    );
  });
});

describe("on the order page", () => {
  test("A4: Amazon's number, status and ship-by, and the ways on", async () => {
    const order = await untouched();
    for (const theme of ["light", "dark"]) {
      await openOrder(order.orderId ?? "", { theme });
      await frame().getByText(order.amazonOrderId).waitFor();
      await frame().getByText("Unshipped").waitFor();
      await frame().getByText("Ship by").waitFor();
      await expectAccessible();
      await shoot(`widget-${theme}`);
    }
    await frame().getByRole("button", { name: "View all Amazon orders" }).click();
    await frame().getByRole("heading", { name: "Amazon orders" }).waitFor();
    expect(dashboardPath()).toBe("app:/orders");

    await openOrder(order.orderId ?? "");
    await frame().getByRole("button", { name: "View or cancel Amazon order" }).click();
    await frame().getByRole("heading", { name: order.amazonOrderId }).waitFor();
    expect(dashboardPath()).toBe(
      `app:/order?orderId=${encodeURIComponent(order.orderId ?? "")}`,
    );
    await frame().getByRole("link", { name: "Back to the order in Saleor" }).click();
    await expect
      .poll(dashboardPath)
      .toBe(`/orders/${encodeURIComponent(order.orderId ?? "")}`);
  });

  test("A4: a shipped order can only be viewed", async () => {
    const order = await anOrder({
      importState: ["IMPORTED"],
      fulfillmentStatus: ["SHIPPED"],
    });
    await openOrder(order.orderId ?? "");
    await frame().getByRole("button", { name: "View Amazon order" }).waitFor();
  });

  test("an order that is not Amazon's", async () => {
    await openOrder(btoa("Order:1f9bb09d-4b2d-4f0a-8a2b-7a3a7b0a0a0a"));
    await frame().getByText("This is not an Amazon order.").waitFor();
  });
});

/** One to be shipped of which Amazon was told nothing yet. */
async function untouched(): Promise<AnOrder> {
  const found = (await orders(NEXT)).find(
    ({ packages, outboxEntries }) => !packages.length && !outboxEntries.length,
  );
  if (!found) throw new Error("Every order was touched.");
  return found;
}

/** A new order on Amazon with an address that the shop cannot hold, brought here. */
async function orderWithBadAddress(): Promise<string> {
  const id = "302-7777777-7777777";
  const control = `${inject("sandbox")}/_sandbox/orders`;
  const german = (await orders({ ...NEXT, marketplaceIds: ["A1PA6795UKMFR9"] }))[0];
  const order = await (await fetch(`${control}/${german?.amazonOrderId}`)).json();
  order.orderId = id;
  order.lastUpdatedTime = order.createdTime = new Date().toISOString();
  order.recipient.deliveryAddress.postalCode = "NOPE";
  delete order.packages;
  const put = await fetch(control, {
    method: "POST",
    body: JSON.stringify({ orders: [order], seller_id: "A1SANDBOXEU" }),
  });
  if (!put.ok) throw new Error(await put.text());
  const answer = await ask<{
    amazonOrdersImport: { results: { state: string }[]; errors: unknown[] };
  }>(
    `mutation ($ids: [String!], $account: ID) {
      amazonOrdersImport(amazonOrderIds: $ids, accountId: $account) {
        results { state errors { message } } errors { message } } }`,
    { ids: [id], account: await accountOf("A1SANDBOXEU") },
  );
  expect(answer.amazonOrdersImport).toMatchObject({
    results: [{ state: "BLOCKED" }],
    errors: [],
  });
  return id;
}

async function accountOf(sellerId: string): Promise<string | undefined> {
  const data = await ask<{ amazonAccounts: { id: string; sellerId: string }[] }>(
    "{ amazonAccounts { id sellerId } }",
  );
  return data.amazonAccounts.find((account) => account.sellerId === sellerId)?.id;
}
