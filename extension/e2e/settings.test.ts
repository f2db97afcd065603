import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, inject, test } from "vitest";
import {
  ask,
  expectAccessible,
  frame,
  inspect,
  narrow,
  open,
  orders,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

const rows = () => frame().locator("tbody tr");
const button = (name: string) => frame().getByRole("button", { name, exact: true });

describe("global settings", () => {
  test("E1–E4: saved, and what is wrong is said at the field", async () => {
    await inspect("settings", "/settings", (pages) =>
      pages.getByLabel("Clear log history").waitFor(),
    );
    const pages = frame();
    const interval = pages.getByLabel("Minutes between two readings of orders");
    await interval.fill("7");
    await pages.getByLabel("Clear log history").selectOption("After a week");
    await pages.getByRole("checkbox", { name: "Debug logging" }).check();
    await button("Save").click();
    await page.getByText("Saved").waitFor();
    await page.reload();
    await expect.poll(() => interval.inputValue()).toBe("7");
    expect(await settings()).toMatchObject({
      pullIntervalMinutes: 7,
      clearLogHistory: "WEEKLY",
      isDebugLogging: true,
    });
  });

  test("E4: read-only mode is switched on, said, and switched off", async () => {
    const pages = await open("/settings");
    const readOnly = pages.getByRole("checkbox", { name: "Read-only mode" });
    await readOnly.check();
    await button("Save").click();
    await page.getByText("Saved").waitFor();
    await inspect("outbox-read-only", "/outbox", (again) =>
      again.getByText("Read-only mode: orders come in").waitFor(),
    );
    await open("/settings");
    await readOnly.uncheck();
    await button("Save").click();
    await page.getByText("Saved").waitFor();
    expect(await settings()).toMatchObject({ isReadOnly: false });
  });

  test("narrow, and in German and Swedish", async () => {
    for (const [locale, text] of [
      ["de", "Protokolle löschen"],
      ["sv", "Rensa logghistorik"],
    ] as const) {
      await narrow(() =>
        inspect(
          `settings-narrow-${locale}`,
          "/settings",
          (pages) => pages.getByLabel(text).waitFor(),
          { locale },
        ),
      );
    }
  });
});

describe("the SKU rule", () => {
  test("shows what it does to the SKUs that orders wait for, and is kept", async () => {
    const at = `/settings/skus?account=${await accountOf("EU")}`;
    const pages = await open(at);
    await pages.getByText("Nothing is left out").waitFor();
    const card = pages.getByRole("region", { name: "SKU rule" });
    const [prefix, suffix] = ["Left out of the beginning", "Left out of the end"].map(
      (label) => card.getByLabel(label),
    );
    await prefix?.fill("GHOST-");
    await suffix?.fill("-DE");
    await card.getByText("GHOST-1234-DE → 1234", { exact: true }).waitFor();
    await card.getByText("GHOST-SKU-404 → SKU-404", { exact: true }).waitFor();
    await card.getByRole("button", { name: "Save" }).click();
    await page.getByText("Blocked orders that it helps").waitFor();
    await inspect("sku-rule", at, async (again) => {
      await again.getByText("GHOST-1234-DE → 1234", { exact: true }).waitFor();
      await again.getByText("GHOST-SKU-404 → SKU-404", { exact: true }).waitFor();
      await card.scrollIntoViewIfNeeded();
    });
    expect(await ask("{ amazonAccounts { name skuPrefix skuSuffix } }")).toMatchObject({
      amazonAccounts: expect.arrayContaining([
        { name: "Sandbox EU", skuPrefix: "GHOST-", skuSuffix: "-DE" },
      ]),
    });
    for (const [locale, text] of [
      ["de", "So wird im Shop gesucht"],
      ["sv", "Så söks den i butiken"],
    ] as const) {
      await narrow(() =>
        inspect(
          `sku-rule-narrow-${locale}`,
          at,
          async (again) => {
            await again.getByText(text).waitFor();
            await again.getByText(text).scrollIntoViewIfNeeded();
          },
          { locale },
        ),
      );
    }
    await open(at);
    await prefix?.fill("");
    await suffix?.fill("");
    await card.getByRole("button", { name: "Save" }).click();
    await page.getByText("Blocked orders that it helps").waitFor();
    await pages.getByText("Nothing is left out").waitFor();
  });
});

describe("SKU mappings", () => {
  test("D1: from the blocked order to its import", async () => {
    const before = (await orders({ blockerCode: ["UNKNOWN_SKU"] })).find((order) =>
      order.amazonOrderId.startsWith("203"),
    );
    if (!before) throw new Error("No order is blocked by an unknown SKU.");
    await open("/blocked");
    await rows()
      .filter({ hasText: "GHOST-SKU-404" })
      .getByRole("link", { name: "Map a seller SKU" })
      .click();
    const pages = frame();
    await expect
      .poll(() => pages.getByRole("textbox", { name: "Seller SKU" }).inputValue())
      .toBe("GHOST-SKU-404");
    await pages.getByRole("textbox", { name: "SKU in the shop" }).fill("NO-SUCH-SKU");
    await button("Map").click();
    await pages.getByText("No product variant has the SKU NO-SUCH-SKU.").waitFor();
    await expectAccessible();
    await shoot("skus-refused");
    await pages.getByRole("textbox", { name: "SKU in the shop" }).fill(await aSku());
    await pages.getByLabel("Units").fill("2");
    await button("Map").click();
    await page.getByText("Mapped. Orders that waited").waitFor();
    await rows().filter({ hasText: "GHOST-SKU-404" }).waitFor();
    await inspect("skus", "/settings/skus?account=" + (await accountOf("EU")), (again) =>
      again.getByRole("rowheader", { name: "GHOST-SKU-404" }).waitFor(),
    );
    await expect
      .poll(
        async () => {
          const [order] = await orders({ amazonOrderIds: [before.amazonOrderId] });
          return order?.orderNumber;
        },
        { timeout: 40_000, interval: 1000 },
      )
      .toBeTruthy();

    await frame()
      .getByRole("button", { name: "Delete the mapping of GHOST-SKU-404" })
      .click();
    const dialog = frame().getByRole("dialog");
    await expectAccessible();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await frame().getByText("No SKU is mapped").waitFor();
    await narrow(() =>
      inspect(
        "skus-narrow-german",
        "/settings/skus",
        (again) => again.getByText("Keine SKU ist zugeordnet").waitFor(),
        { locale: "de" },
      ),
    );
  });
});

describe("carriers", () => {
  test("are tried without saving, saved, and taken away", async () => {
    const at = `/settings/carriers?account=${await accountOf("EU")}`;
    await inspect("carriers", at, (pages) =>
      pages.getByRole("rowheader", { name: "DHL" }).waitFor(),
    );
    await button("Map a carrier").click();
    const dialog = frame().getByRole("dialog");
    await dialog.getByLabel("Carrier in the shop").fill("Our van");
    await dialog.getByLabel("Carrier code").fill("Other");
    await dialog.getByLabel("Name to give with Other").fill("Own delivery");
    await dialog.getByRole("button", { name: "Try without saving" }).click();
    await dialog.getByText("Other, Own delivery").waitFor();
    await expectAccessible();
    await shoot("carriers-try");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await frame().getByRole("cell", { name: "Other (Own delivery)" }).waitFor();

    await frame().getByRole("button", { name: "Edit Our van" }).click();
    await dialog.getByLabel("Carrier code").fill("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await frame()
      .getByRole("rowheader", { name: "Our van" })
      .waitFor({ state: "detached" });
    await narrow(() =>
      inspect(
        "carriers-narrow-swedish",
        at,
        (pages) => pages.getByRole("rowheader", { name: "DHL" }).waitFor(),
        { locale: "sv" },
      ),
    );
  });
});

describe("listings", () => {
  test("where no marketplace tells Amazon of stock, it is said what to do", async () => {
    await inspect(
      "listings-none",
      `/settings/listings?account=${await accountOf("NA")}`,
      (pages) => pages.getByText("No listings are known").waitFor(),
    );
  });

  test("show what Amazon was told, and why not", async () => {
    const sku = await aSku();
    for (const each of [sku, "NOT-IN-THE-SHOP"]) await list(each);
    await ask(
      `mutation ($id: ID!) { amazonMarketplaceUpdate(id: $id, input: { sendStock: true }) {
        errors { message } } }`,
      { id: await marketplaceOf("Japan") },
    );
    const at = `/settings/listings?account=${await accountOf("FE")}`;
    await expect
      .poll(
        async () => {
          await open(at);
          await frame()
            .getByText(/entries|entry/)
            .waitFor();
          return rows().count();
        },
        { timeout: 50_000, interval: 2000 },
      )
      .toBe(2);
    await inspect("listings", at, (pages) => pages.locator("tbody tr").first().waitFor());
    const told = rows().filter({ hasText: sku });
    await told.getByText("Told").waitFor();
    expect(await told.innerText()).toContain("Japan");
    await rows().filter({ hasText: "NOT-IN-THE-SHOP" }).getByText("Unknown SKU").waitFor();
    await narrow(() =>
      inspect(
        "listings-narrow-swedish",
        at,
        (pages) => pages.locator("tbody tr").first().waitFor(),
        { locale: "sv" },
      ),
    );
  });
});

describe("older orders", () => {
  test("are counted first, with progress, and the form says what is wrong", async () => {
    const at = `/settings/backfill?account=${await accountOf("EU")}`;
    await inspect("backfill-none", at, (pages) =>
      pages.getByText("No older orders were asked for").waitFor(),
    );
    const pages = frame();
    const local = (days: number) => {
      const date = new Date(Date.now() - days * 86_400_000);
      return date.toISOString().slice(0, 16);
    };
    await pages.getByLabel("From").fill(local(1000));
    await pages.getByLabel("To", { exact: true }).fill(local(1));
    await button("Start").click();
    await pages.locator("[aria-invalid=true]").first().waitFor();
    await expectAccessible();
    await shoot("backfill-refused");
    await pages.getByLabel("From").fill(local(60));
    await button("Start").click();
    await page.getByText("The workers are at it.").waitFor();
    await pages.getByText("Only counted", { exact: true }).waitFor();
    await pages.getByText("Finished").waitFor({ timeout: 50_000 });
    await inspect("backfill", at, (again) => again.getByText("Finished").waitFor());
    await narrow(() =>
      inspect(
        "backfill-narrow-german",
        at,
        (again) => again.getByText("Fertig", { exact: true }).waitFor(),
        { locale: "de" },
      ),
    );
  });
});

describe("orders by their numbers", () => {
  test("are imported, and what came of each is said", async () => {
    const at = `/settings/backfill?account=${await accountOf("EU")}`;
    const pages = await open(at);
    const [known] = await orders({ accounts: [decodeURIComponent(await accountOf("EU"))] });
    const numbers = [known?.amazonOrderId ?? "", "302-0000000-0000404"];
    const field = pages.getByLabel("Amazon order numbers");
    await field.fill("302-1");
    await button("Import these").click();
    await pages.locator("[aria-invalid=true]").first().waitFor();
    await expectAccessible();
    await field.fill(numbers.join(", "));
    await button("Import these").click();
    await rows().nth(1).waitFor();
    expect(await rows().locator("th").allInnerTexts()).toEqual(numbers);
    await rows().last().getByText("Amazon has no such order").waitFor();
    await field.scrollIntoViewIfNeeded();
    await expectAccessible();
    await shoot("named-orders");
    await narrow(async () => {
      await expectAccessible();
      await shoot("named-orders-narrow");
    });
    for (const [locale, text] of [
      ["de", "Bestellungen nach Nummer"],
      ["sv", "Ordrar efter nummer"],
    ] as const) {
      await narrow(() =>
        inspect(
          `named-orders-narrow-${locale}`,
          at,
          async (again) => {
            await again.getByText(text).scrollIntoViewIfNeeded();
          },
          { locale },
        ),
      );
    }
  });
});

describe("notifications", () => {
  test("are set up, tested and ended", async () => {
    const sqs = await runningSqs();
    try {
      const at = `/settings/notifications?account=${await accountOf("FE")}`;
      await inspect("notifications-none", at, (pages) =>
        pages.getByText(/Amazon is asked for orders every/).waitFor(),
      );
      const pages = frame();
      await pages
        .getByLabel("ARN of the queue")
        .fill("arn:aws:sqs:eu-west-1:1:orders.fifo");
      await button("Subscribe").click();
      await pages.getByText("The ARN of a standard SQS queue").waitFor();
      await expectAccessible();
      await shoot("notifications-refused");

      await pages.getByLabel("ARN of the queue").fill(sqs.arn);
      expect(await pages.getByLabel("Policy of the queue").inputValue()).toContain(
        `"Resource": "${sqs.arn}"`,
      );
      await button("Use another address").click();
      await pages.getByLabel("Address of SQS").fill(sqs.url);
      await button("Subscribe").click();
      await page.getByText("Amazon writes to the queue from now on.").waitFor();
      await inspect("notifications", at, (again) =>
        again.getByText("Working", { exact: true }).waitFor(),
      );
      await button("Test").click();
      await page.getByText("The queue can be read, and Amazon has").waitFor();

      sqs.isBroken = true;
      await button("Test").click();
      await page
        .getByText(/SQS|queue/)
        .first()
        .waitFor();
      await expect
        .poll(
          async () => {
            await open(at);
            await pages.getByRole("button", { name: "Test" }).waitFor();
            return pages.getByText("Not working", { exact: true }).count();
          },
          { timeout: 50_000, interval: 2000 },
        )
        .toBe(1);
      await shoot("notifications-broken");
      sqs.isBroken = false;

      await button("End notifications").click();
      const dialog = frame().getByRole("dialog");
      await expectAccessible();
      await shoot("notifications-end");
      await dialog.getByRole("button", { name: "End notifications" }).click();
      await page.getByText("The notifications have ended.").waitFor();
      await frame()
        .getByText(/Amazon is asked for orders every/)
        .waitFor();
      for (const [locale, text] of [
        ["de", "Amazon wird alle"],
        ["sv", "Amazon tillfrågas om ordrar"],
      ] as const) {
        await narrow(() =>
          inspect(
            `notifications-narrow-${locale}`,
            at,
            (again) => again.getByText(text).waitFor(),
            { locale },
          ),
        );
      }
    } finally {
      sqs.close();
    }
  });
});

describe("communication errors", () => {
  test("C7: store, code, message, created", async () => {
    await fault({
      operation: "searchOrders",
      kind: "unauthorized",
      seller_id: "A1SANDBOXFE",
    });
    await ask("mutation { amazonOrdersImport { queued errors { message } } }");
    await expect
      .poll(async () => (await failures()).length, { timeout: 40_000, interval: 1000 })
      .toBeGreaterThan(0);
    await inspect("log", "/settings/log", (pages) =>
      pages.locator("tbody tr").first().waitFor(),
    );
    const [failure] = await failures();
    expect(await rows().first().locator("td").nth(1).innerText()).toBe("Sandbox FE");
    expect(await rows().first().locator("td").nth(3).innerText()).toBe(failure?.errorCode);
    await frame().getByLabel("Error code").fill("Other");
    await frame().getByLabel("Error code").press("Enter");
    await frame().getByText("Nothing fits").waitFor();
    await narrow(() =>
      inspect(
        "log-narrow-german",
        "/settings/log",
        (pages) => pages.locator("tbody tr").first().waitFor(),
        { locale: "de" },
      ),
    );
  });
});

const settings = async () =>
  (
    await ask<{ amazonSettings: object }>(
      `{ amazonSettings { pullIntervalMinutes isReadOnly isDebugLogging
        clearLogHistory } }`,
    )
  ).amazonSettings;

async function failures() {
  const data = await ask<{
    amazonCommunicationLog: { edges: { node: { errorCode: string } }[] };
  }>("{ amazonCommunicationLog(first: 5) { edges { node { errorCode } } } }");
  return data.amazonCommunicationLog.edges.map(({ node }) => node);
}

async function fault(what: object) {
  const answer = await fetch(`${inject("sandbox")}/_sandbox/faults`, {
    method: "POST",
    body: JSON.stringify(what),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function accountOf(region: string): Promise<string> {
  const data = await ask<{ amazonAccounts: { id: string; name: string }[] }>(
    "{ amazonAccounts { id name } }",
  );
  const found = data.amazonAccounts.find(({ name }) => name === `Sandbox ${region}`);
  return encodeURIComponent(found?.id ?? "");
}

/** A queue of the operator's that is always empty, in a small SQS of our own. */
async function runningSqs() {
  const server = createServer((request, response) => {
    const [, operation] = String(request.headers["x-amz-target"]).split(".");
    const isLook = operation === "GetQueueAttributes";
    response.writeHead(sqs.isBroken ? 403 : 200, {
      "Content-Type": "application/x-amz-json-1.0",
    });
    const refusal = { __type: "com.amazonaws.sqs#AccessDenied", message: "Not yours." };
    const answer = isLook ? { Attributes: { QueueArn: sqs.arn } } : {};
    response.end(JSON.stringify(sqs.isBroken ? refusal : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const sqs = {
    arn: "arn:aws:sqs:eu-west-1:123456789012:amazon-orders",
    url: `http://127.0.0.1:${port}`,
    isBroken: false,
    close: () => server.close(),
  };
  return sqs;
}

/** The seller lists it in Japan. */
async function list(sku: string) {
  const answer = await fetch(`${inject("sandbox")}/_sandbox/listings`, {
    method: "POST",
    body: JSON.stringify({
      sku,
      seller_id: "A1SANDBOXFE",
      marketplace_ids: ["A1VC38T7YXB528"],
      title: "A mug",
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function marketplaceOf(name: string): Promise<string> {
  const data = await ask<{
    amazonAccounts: { marketplaces: { id: string; name: string }[] }[];
  }>("{ amazonAccounts { marketplaces { id name } } }");
  const all = data.amazonAccounts.flatMap(({ marketplaces }) => marketplaces);
  return all.find((each) => each.name === name)?.id ?? "";
}

/** A SKU that the shop has. */
async function aSku(): Promise<string> {
  const data = await ask<{
    amazonOrders: { edges: { node: { items: { sellerSku: string }[] } }[] };
  }>(
    `{ amazonOrders(first: 1, filter: { importState: [IMPORTED] }) {
      edges { node { items { sellerSku } } } } }`,
  );
  return data.amazonOrders.edges[0]?.node.items[0]?.sellerSku ?? "";
}
