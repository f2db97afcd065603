import { readFileSync } from "node:fs";
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
    const heads = await frame().locator("thead th").allInnerTexts();
    // The first is of the boxes that choose blocked orders, where the page has any.
    expect(heads.filter(Boolean)).toEqual([
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
    const numbers = await rows().locator("th").allInnerTexts();
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

  test("A6, C4: filters are chips and in the address, survive a reload, are cleared", async () => {
    const blocked = await orders({ importState: ["BLOCKED"] });
    const pages = await open("/orders");
    await pages.getByRole("button", { name: "Filters" }).click();
    await pages.getByRole("checkbox", { name: "Blocked" }).check();
    await expect.poll(() => rows().count()).toBe(blocked.length);
    await expect.poll(dashboardPath).toBe("app:/orders?state=BLOCKED");
    await pages.getByRole("checkbox", { name: "Waiting" }).check();
    const both = await orders({ importState: ["BLOCKED", "WAITING"] });
    await pages.getByText(`${both.length} orders`).waitFor();
    await pages.getByRole("button", { name: "Filters" }).click();
    await shoot("orders-filtered");
    await expectAccessible();

    await page.reload();
    await expect.poll(() => rows().count()).toBe(both.length);
    const chip = frame().getByRole("button", { name: "Remove filter In the shop" });
    expect(await chip.innerText()).toBe("In the shop: Waiting, Blocked ×");

    await frame().getByRole("button", { name: "Clear all" }).click();
    await expect.poll(() => rows().count()).toBe(25);
    await expect.poll(dashboardPath).toBe("app:/orders");
    expect(await chip.count()).toBe(0);
  });

  test("C4: the filter panel, light and dark, wide and narrow, in three languages", async () => {
    const query = "state=BLOCKED,READY&from=2020-01-01&currency=EUR&min=5,50&risk=1";
    const show = async () => {
      const toggle = frame().locator("button[aria-controls=filters]");
      await toggle.click();
      await frame().locator("#filters").waitFor();
    };
    for (const locale of ["en", "sv", "de"]) {
      await inspect(`orders-filters-${locale}`, `/orders?${query}`, show, { locale });
    }
    await narrow(() => inspect("orders-filters-narrow", `/orders?${query}`, show));
  });

  test("C4: by buyer, purchase date, total, marketplace, who ships, and at risk", async () => {
    const german = "A1PA6795UKMFR9";
    const known = await ask<{
      amazonOrders: { edges: { node: { buyerName: string; createdAt: string } }[] };
    }>(
      `{ amazonOrders(first: 1, filter: {
        importState: [IMPORTED], fulfilledBy: "MERCHANT" }) {
        edges { node { buyerName createdAt } } } }`,
    );
    const { buyerName, createdAt } = known.amazonOrders.edges[0]?.node ?? {};
    const [word = ""] = (buyerName ?? "").split(" ");
    const day = new Date(createdAt ?? 0).toLocaleDateString("sv", {
      timeZone: "Europe/Berlin",
    });
    const begun = new Date(`${day}T00:00:00+01:00`).toISOString();
    const cases: [string, object][] = [
      [`buyer=${word}`, { buyer: word }],
      [`from=${day}`, { created: { gte: begun } }],
      ["currency=EUR&min=20&max=90,5", { total: { currency: "EUR", gte: 20, lte: 90.5 } }],
      [`marketplace=${german}`, { marketplaceIds: [german] }],
      ["by=AMAZON", { fulfilledBy: "AMAZON" }],
      ["risk=1", { isAtRisk: true }],
      ["status=SHIPPED,CANCELLED", { fulfillmentStatus: ["SHIPPED", "CANCELLED"] }],
    ];
    for (const [query, filter] of cases) {
      const expected = await orders(filter);
      const pages = await open(`/orders?${query}`);
      const said = expected.length
        ? `${expected.length} order${expected.length === 1 ? "" : "s"}`
        : "0 orders";
      await pages.getByText(said, { exact: true }).waitFor();
      await pages.getByRole("button", { name: /^Remove filter/ }).waitFor();
    }
  });

  test("C4: an amount that is none is said at its field", async () => {
    const pages = await open("/orders?currency=EUR");
    await pages.getByRole("button", { name: "Filters" }).click();
    const least = pages.getByRole("group", { name: "Total" }).getByLabel("From");
    await least.fill("much");
    await least.press("Enter");
    await pages.getByText("Enter an amount such as 12.50.").waitFor();
  });

  test("C4: every offered column sorts the whole list, both ways", async () => {
    for (const [head, field, first] of [
      ["Amazon order number", "NUMBER", "ASC"],
      ["Status", "STATUS", "ASC"],
      ["Ship by", "SHIP_BY", "ASC"],
      ["Total", "TOTAL", "DESC"],
      ["Purchase date", "CREATED_AT", "DESC"],
    ] as const) {
      const pages = await open("/orders?sort=weather");
      await rows().first().waitFor();
      for (const direction of [first, first === "ASC" ? "DESC" : "ASC"]) {
        await pages.getByRole("button", { name: head, exact: true }).click();
        const expected = await sorted(field, direction);
        await expect
          .poll(() => rows().locator("th").allInnerTexts())
          .toEqual(expected.slice(0, 25));
        expect(
          await pages.getByRole("columnheader", { name: head }).getAttribute("aria-sort"),
        ).toBe(direction === "ASC" ? "ascending" : "descending");
      }
    }
    await page.goBack();
    await rows().first().waitFor();
  });

  test("C8: columns are chosen, and are there the next time", async () => {
    const pages = await open("/orders");
    await rows().first().waitFor();
    await pages.getByRole("button", { name: "Columns", exact: true }).click();
    await pages.getByRole("checkbox", { name: "Marketplace" }).check();
    await pages.getByRole("checkbox", { name: "Buyer" }).uncheck();
    await pages.getByRole("columnheader", { name: "Marketplace" }).waitFor();
    await expectAccessible();
    await shoot("orders-columns");
    await pages.getByRole("button", { name: "Columns", exact: true }).press("Escape");
    expect(await pages.getByRole("checkbox", { name: "Buyer" }).count()).toBe(0);

    await open("/orders");
    await frame().getByRole("columnheader", { name: "Marketplace" }).waitFor();
    expect(await frame().getByRole("columnheader", { name: "Buyer" }).count()).toBe(0);
    await frame().getByRole("button", { name: "Columns", exact: true }).click();
    await frame().getByRole("button", { name: "Usual columns" }).click();
    await frame().getByRole("columnheader", { name: "Buyer" }).waitFor();
  });

  test("C8: a view is saved, found again, and deleted", async () => {
    const pages = await open("/orders?status=UNSHIPPED&sort=SHIP_BY");
    await rows().first().waitFor();
    await pages.getByRole("button", { name: "Views" }).click();
    await pages.getByLabel("Save as").fill("To ship");
    await pages.getByRole("button", { name: "Save", exact: true }).click();
    await pages.getByRole("button", { name: "Delete view To ship" }).waitFor();
    await expectAccessible();
    await shoot("orders-views");

    await open("/orders");
    await rows().first().waitFor();
    await frame().getByRole("button", { name: "Views" }).click();
    await frame()
      .getByRole("region", { name: "Views" })
      .getByRole("button", { name: "To ship", exact: true })
      .click();
    await expect.poll(dashboardPath).toBe("app:/orders?status=UNSHIPPED&sort=SHIP_BY");
    await frame().getByRole("button", { name: "Delete view To ship" }).click();
    await frame().getByText("Only you see them").waitFor();
  });

  test("C8: all orders that fit are exported, not only the page", async () => {
    const wanted = { fulfillmentStatus: ["SHIPPED", "UNSHIPPED"] };
    const expected = await orders(wanted);
    // More than one request brings.
    expect(expected.length).toBe(100);
    const pages = await open("/orders?status=SHIPPED,UNSHIPPED");
    await rows().first().waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      pages.getByRole("button", { name: "Export CSV" }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^amazon-orders-\d{4}-\d{2}-\d{2}\.csv$/);
    const [head = "", ...lines] = readFileSync(await file.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(head).toMatch(/^\uFEFFamazonOrderId,marketplace,purchaseDate,status,buyer,/);
    const numbers = lines.map((line) => line.split(",")[0]);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.slice(0, 100)).toEqual(
      expected.map(({ amazonOrderId }) => amazonOrderId),
    );
    await pages.getByText(`${numbers.length} orders`, { exact: true }).waitFor();
    await page.getByText("The file is complete.").waitFor();
  });

  test("C8: an export says how far it is, and is cancelled", async () => {
    const endCursor = await aCursor();
    await page.route("**/graphql/", async (route) => {
      if (!route.request().postData()?.includes("ExportOrders")) return route.continue();
      // As one page of very many.
      const answer = await (await route.fetch()).json();
      answer.data.amazonOrders.pageInfo = { hasNextPage: true, endCursor };
      return route.fulfill({ json: answer });
    });
    const pages = await open("/orders");
    await rows().first().waitFor();
    await pages.getByRole("button", { name: "Export CSV" }).click();
    await pages.getByText(/Collecting orders for the file: \d+ of \d+/).waitFor();
    await expectAccessible();
    await shoot("orders-export");
    await pages.getByRole("button", { name: "Cancel" }).click();
    await pages.getByText("Collecting orders").waitFor({ state: "detached" });
    await page.unroute("**/graphql/");
  });

  test("D: blocked orders are chosen and retried together, or all that fit", async () => {
    const pages = await open("/orders?state=BLOCKED");
    await rows().first().waitFor();
    const blocked = await rows().count();
    await pages.getByRole("checkbox", { name: "Choose all blocked" }).check();
    await pages.getByText(`${blocked} blocked orders chosen`).waitFor();
    await shoot("orders-bulk");
    await expectAccessible();
    await pages.getByRole("button", { name: "Retry import" }).click();
    await page.getByText(`${blocked} orders are looked at again`).waitFor();

    // What blocks them is still there: once looked at, they are blocked again.
    const all = frame().getByRole("button", { name: "Retry all blocked orders that fit" });
    const blockedAgain = async () => {
      await open("/orders?state=BLOCKED");
      await frame()
        .getByText(/^\d+ orders?$/)
        .waitFor();
      return all.count();
    };
    await expect.poll(blockedAgain, { timeout: 30_000, interval: 1000 }).toBe(1);
    await all.click();
    await page.getByText(/looked at again/).waitFor();
  });

  test("C4: next and previous page", async () => {
    const all = (await orders({})).map(({ amazonOrderId }) => amazonOrderId);
    const pages = await open("/orders");
    const first = () => rows().locator("th").first().innerText();
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
    await narrow(async () => {
      await inspect("orders-narrow", "/orders", (pages) =>
        pages.locator("tbody tr").first().waitFor(),
      );
      const { width = 0 } = page.viewportSize() ?? {};
      for (const name of ["Views", "Columns"]) {
        await frame().getByRole("button", { name, exact: true }).click();
        const box = await frame().getByRole("region", { name, exact: true }).boundingBox();
        expect(box?.x).toBeGreaterThanOrEqual(0);
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
        await expectAccessible();
        await shoot(`orders-narrow-${name.toLowerCase()}`);
      }
    });
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
    await frame().getByRole("link", { name: "Map a seller SKU" }).click();
    await expect.poll(dashboardPath).toContain("app:/settings/skus?account=");
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
    await pages.getByRole("cell", { name: /^Cancellation/ }).waitFor();
    const [after] = await orders({ amazonOrderIds: [order.amazonOrderId] });
    expect(after?.outboxEntries.map(({ kind }) => kind)).toEqual(["CANCEL"]);
  });

  test("A8: the buyer is written to, in a way that Amazon offers", async () => {
    const order = await untouched();
    const pages = await open(`/orders/${order.amazonOrderId}`);
    await pages.getByRole("button", { name: "Message the buyer" }).click();
    const dialog = pages.getByRole("dialog", { name: "Message the buyer" });
    await dialog.getByLabel("Kind of message").selectOption("UNEXPECTED_PROBLEM");
    await dialog.getByLabel("Text").fill("Write to me@example.com");
    await expectAccessible();
    await shoot("order-message");
    await dialog.getByRole("button", { name: "Send through Amazon" }).click();
    await expect
      .poll(() => dialog.getByLabel("Text").getAttribute("aria-invalid"))
      .toBe("true");
    await shoot("order-message-refused");
    await dialog.getByLabel("Text").fill("Your lamp comes a day later.");
    await dialog.getByRole("button", { name: "Send through Amazon" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("The message goes to Amazon").waitFor();
    await pages.getByRole("link", { name: "Activity" }).click();
    await pages.getByText("Your lamp comes a day later.").waitFor();
    await shoot("order-message-sent");
    await expectAccessible();
  });

  test("A8: a message with a file", async () => {
    const order = await untouched();
    const pages = await open(`/orders/${order.amazonOrderId}`, { theme: "dark" });
    await pages.getByRole("button", { name: "Message the buyer" }).click();
    const dialog = pages.getByRole("dialog", { name: "Message the buyer" });
    await dialog.getByLabel("Kind of message").waitFor();
    const kinds = await dialog.getByLabel("Kind of message").locator("option").all();
    for (const kind of kinds) {
      await dialog
        .getByLabel("Kind of message")
        .selectOption((await kind.getAttribute("value")) ?? "");
      if (await dialog.getByLabel("Files").count()) break;
    }
    await dialog.getByLabel("Files").setInputFiles({
      name: "manual.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("Plug it in."),
    });
    if (await dialog.getByLabel("Text").count())
      await dialog.getByLabel("Text").fill("Here is the manual.");
    await expectAccessible();
    await shoot("order-message-file-dark");
    await dialog.getByRole("button", { name: "Send through Amazon" }).click();
    await dialog.waitFor({ state: "detached" });
    await pages.getByRole("link", { name: "Activity" }).click();
    await pages.getByText("manual.txt").waitFor();
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

async function aCursor(): Promise<string> {
  const data = await ask<{ amazonOrders: { pageInfo: { endCursor: string } } }>(
    "{ amazonOrders(first: 1) { pageInfo { endCursor } } }",
  );
  return data.amazonOrders.pageInfo.endCursor;
}

/** The numbers of all orders, in an order. */
async function sorted(field: string, direction: string): Promise<string[]> {
  const data = await ask<{
    amazonOrders: { edges: { node: { amazonOrderId: string } }[] };
  }>(
    `query ($sortBy: AmazonOrderSortingInput) { amazonOrders(first: 25, sortBy: $sortBy) {
      edges { node { amazonOrderId } } } }`,
    { sortBy: { field, direction } },
  );
  return data.amazonOrders.edges.map(({ node }) => node.amazonOrderId);
}

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
