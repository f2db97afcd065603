import { describe, expect, inject, test } from "vitest";
import {
  ask,
  dashboardPath,
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

describe("Amazon stores", () => {
  test("C1, C2, C6: cards, recent orders, and the banner of what is blocked", async () => {
    await inspect("stores", "/stores", async (pages) => {
      await pages.getByRole("heading", { name: "Sandbox EU" }).waitFor();
      await pages.getByText("Recent orders").waitFor();
      await pages.getByText(/causes keep Amazon orders/).waitFor();
    });
    expect(await frame().locator("tbody tr").count()).toBe(10);
    await frame().getByRole("link", { name: "See blocked orders" }).click();
    await frame().getByRole("heading", { name: "Blocked orders" }).waitFor();
    expect(dashboardPath()).toBe("app:/blocked");
  });

  test("blocked orders by cause, each with its orders", async () => {
    await inspect("blocked", "/blocked", (pages) =>
      pages.locator("tbody tr").first().waitFor(),
    );
    const row = frame().locator("tbody tr").first();
    const columns = await frame().locator("thead th").allInnerTexts();
    const count = Number(
      await row.locator("td").nth(columns.indexOf("Orders")).innerText(),
    );
    await row.getByRole("link", { name: "Show orders" }).click();
    await frame().getByRole("heading", { name: "Amazon orders" }).waitFor();
    await expect.poll(() => frame().locator("tbody tr").count()).toBe(count);
    expect(dashboardPath()).toMatch(/^app:\/orders\?state=BLOCKED&code=\w+&cause=/);
  });

  test("an account is paused and resumed", async () => {
    const pages = await open("/stores");
    const card = pages.getByRole("region", { name: "Sandbox FE" });
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("Paused", { exact: true }).first().waitFor();
    expect(await card.getByText("Importing").count()).toBe(0);
    await card.getByRole("button", { name: "Resume" }).click();
    await card.getByText("Active", { exact: true }).waitFor();
  });

  test("narrow, and in German", async () => {
    await narrow(() =>
      inspect(
        "stores-narrow-german",
        "/stores",
        (pages) => pages.getByText("Neueste Bestellungen").waitFor(),
        { locale: "de" },
      ),
    );
  });
});

const fill = async (values: Record<string, string>) => {
  for (const [label, value] of Object.entries(values)) {
    await frame().getByLabel(label, { exact: true }).fill(value);
  }
};

describe("connecting an account", () => {
  test("what is wrong is said at the field; then it is connected", async () => {
    await fetch(`${inject("sandbox")}/_sandbox/accounts`, {
      method: "POST",
      body: JSON.stringify({
        region: "EU",
        seller_id: "A1SECOND",
        refresh_token: "Atzr|second",
      }),
    });
    await inspect("connect", "/connect", (pages) =>
      pages.getByLabel("Seller ID").waitFor(),
    );
    await frame().getByRole("button", { name: "Use another address" }).click();
    const sandbox = inject("sandbox");
    await fill({
      Name: "Second store",
      "Seller ID": "A1SECOND",
      "Client ID": "amzn1.application-oa2-client.sandbox",
      "Client secret": "sandbox-secret",
      "Refresh token": "Atzr|wrong",
      "Address of the API": sandbox,
      "Address for access tokens": `${sandbox}/auth/o2/token`,
    });
    const submit = frame().getByRole("button", { name: "Connect account" });
    await submit.click();
    await frame().getByText("Amazon does not accept the refresh token").waitFor();
    await expectAccessible();
    await shoot("connect-refused");

    await fill({ "Refresh token": "Atzr|second" });
    await submit.click();
    await frame().getByRole("heading", { name: "Second store" }).waitFor();
    await page.getByText("The account is connected").waitFor();
    expect(dashboardPath()).toBe("app:/stores");
  });
});

describe("an account", () => {
  const card = (name: string) => frame().getByRole("region", { name });
  const heading = (name: string) =>
    frame().getByRole("heading", { name, exact: true, level: 1 });

  test("is renamed, gets new credentials, and asks for its marketplaces", async () => {
    await open("/stores");
    await frame().getByRole("button", { name: "Manage Sandbox NA" }).click();
    await heading("Sandbox NA").waitFor();
    const at = dashboardPath().replace("app:", "");
    await inspect("account", at, () => heading("Sandbox NA").waitFor());

    await fill({ Name: "America" });
    await card("Seller account").getByRole("button", { name: "Save" }).click();
    await heading("America").waitFor();
    await fill({ Name: "Sandbox NA" });
    await card("Seller account").getByRole("button", { name: "Save" }).click();
    await heading("Sandbox NA").waitFor();

    await fill({ "Refresh token": "Atzr|wrong" });
    const submit = frame().getByRole("button", { name: "Ask Amazon and save" });
    await submit.click();
    await frame().getByText("Amazon does not accept the refresh token").waitFor();
    await expectAccessible();
    await shoot("account-refused");
    await fill({ "Refresh token": "Atzr|sandbox-NA" });
    await submit.click();
    await expect.poll(() => frame().getByLabel("Refresh token").inputValue()).toBe("");
    expect(await submit.isDisabled()).toBe(true);

    await frame().getByRole("button", { name: "Ask Amazon now" }).click();
    await page.getByText(/Amazon was asked: \d+ marketplaces? (is|are) known/).waitFor();

    for (const [locale, text] of [
      ["de", "Neue Zugangsdaten"],
      ["sv", "Nya uppgifter"],
    ] as const) {
      await narrow(() =>
        inspect(
          `account-narrow-${locale}`,
          at,
          (pages) => pages.getByRole("heading", { name: text }).waitFor(),
          { locale },
        ),
      );
    }
  });

  test("is disconnected, saying what becomes of what, and connected again", async () => {
    await open("/stores");
    await frame().getByRole("button", { name: "Manage Sandbox NA" }).click();
    const pause = card("Pause and resume");
    await pause.getByRole("button", { name: "Pause" }).click();
    await pause.getByRole("button", { name: "Resume" }).waitFor();
    const order = await cancelOne("Sandbox NA");

    await card("Disconnect").getByRole("button", { name: "Disconnect" }).click();
    const dialog = frame().getByRole("dialog", { name: "Disconnect Sandbox NA?" });
    const disconnect = dialog.getByRole("button", { name: "Disconnect" });
    await dialog.getByText("What is known of the buyers is deleted in time").waitFor();
    await expectAccessible();
    await shoot("account-disconnect");
    await disconnect.click();
    await dialog.getByText("Something is still to be sent to Amazon: 1 cancel").waitFor();
    expect(await disconnect.isDisabled()).toBe(true);
    await dialog.getByRole("link", { name: "See what is still to be sent" }).waitFor();
    await dialog.getByRole("checkbox", { name: "Disconnect all the same" }).check();
    await expectAccessible();
    await shoot("account-disconnect-unsent");
    await disconnect.click();
    await page.getByText("Sandbox NA is disconnected.").waitFor();
    await inspect("account-disconnected", dashboardPath().replace("app:", ""), (pages) =>
      pages.getByRole("heading", { name: "Connect again" }).waitFor(),
    );
    expect((await orders({ amazonOrderIds: [order] }))[0]).toMatchObject({
      outboxEntries: [{ kind: "CANCEL", state: "FAILED" }],
    });

    await frame().getByRole("button", { name: "Connect again" }).click();
    await expect
      .poll(() => frame().getByLabel("Seller ID").inputValue())
      .toBe("A1SANDBOXNA");
    expect(await frame().getByLabel("Region").inputValue()).toBe("NA");
    await frame().getByRole("button", { name: "Use another address" }).click();
    const sandbox = inject("sandbox");
    await fill({
      "Client ID": "amzn1.application-oa2-client.sandbox",
      "Client secret": "sandbox-secret",
      "Refresh token": "Atzr|sandbox-NA",
      "Address of the API": sandbox,
      "Address for access tokens": `${sandbox}/auth/o2/token`,
    });
    await frame().getByRole("button", { name: "Connect account" }).click();
    await card("Sandbox NA").getByText("Active", { exact: true }).waitFor();
  });

  test("staff without the permission are told so, and nothing is asked", async () => {
    for (const [path, as, permission] of [
      ["/accounts/QW1hem9uQWNjb3VudDox", "order_staff", "MANAGE_PLUGINS"],
      ["/settings/notifications", "order_staff", "MANAGE_PLUGINS"],
      ["/settings/skus", "order_staff", "MANAGE_PLUGINS"],
      ["/outbox", "staff_without_permissions", "MANAGE_ORDERS"],
    ] as const) {
      const asked: string[] = [];
      const note = (request: { url: () => string }) => asked.push(request.url());
      page.on("request", note);
      await open(path, { as });
      await frame().getByText(`You need the permission ${permission}`).waitFor();
      expect(await frame().getByRole("alert").count()).toBe(0);
      page.off("request", note);
      expect(asked.filter((url) => url.endsWith("/graphql/"))).toEqual([]);
    }
    await inspect(
      "no-permission-settings",
      "/settings/notifications",
      (pages) => pages.getByText("You need the permission MANAGE_PLUGINS").waitFor(),
      { as: "order_staff" },
    );
  });
});

describe("settings of a marketplace", () => {
  test("B1–B5: saved, still there after a reload, and greyed out without import", async () => {
    const at = `/marketplaces/${encodeURIComponent(await marketplace("France"))}`;
    await inspect("marketplace", at, (pages) => pages.getByLabel("Carrier code").waitFor());
    const pages = frame();
    await choose("Customer creation", "New customer account");
    await choose("Order number source", "Amazon's number");
    await choose("Status of imported orders", "Unconfirmed");
    await choose("How Amazon is told of cancellations", "By call (cancelOrder)");
    await pages.getByText("Each by a call that Amazon answers at once").waitFor();
    await pages.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();

    await page.reload();
    const number = frame().getByLabel("Order number source");
    await expect.poll(() => number.inputValue()).toBe("AMAZON");
    const mechanism = frame().getByLabel("How Amazon is told of cancellations");
    expect(await mechanism.inputValue()).toBe("CALL");
    await mechanism.scrollIntoViewIfNeeded();
    await shoot("marketplace-cancellations");
    await mechanism.selectOption("FEED");
    await frame().getByText("Many in one file").waitFor();
    await frame().getByRole("checkbox", { name: "Import Amazon orders" }).click();
    await frame().getByText("Orders are only shown here").waitFor();
    await shoot("marketplace-import-off");
    await expectAccessible();
    expect(await number.isDisabled()).toBe(true);
  });

  test("B2: a marketplace gets its channel, and what is wrong is said at the field", async () => {
    const id = await marketplace("Spain");
    await open(`/marketplaces/${encodeURIComponent(id)}`);
    await choose("Import into channel", "amazon-eur");
    await frame().getByLabel("Keep buyer data for days").fill("31");
    await frame().getByRole("button", { name: "Save" }).click();
    await frame().getByText(/30/).last().waitFor();
    await frame().getByLabel("Keep buyer data for days").fill("20");
    await frame().getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    expect(await settingsOf(id)).toMatchObject({
      channelSlug: "amazon-eur",
      isMapped: true,
      buyerDataRetentionDays: 20,
    });
  });

  test("stock and invoices are set, and are still there after a reload", async () => {
    const id = await marketplace("Germany");
    const at = `/marketplaces/${encodeURIComponent(id)}`;
    const pages = await open(at);
    await pages.getByRole("checkbox", { name: "Tell Amazon how many there are" }).check();
    await pages.getByLabel("Units held back").fill("2");
    await pages.getByLabel("None with fewer than").fill("1");
    await choose("How invoices reach the buyers", "They stay in the shop");
    await pages.getByLabel("Invoice numbers begin with").fill("SHOP-DE-");
    await pages.getByLabel("Issuer").fill("Mugs and more\nHauptstr. 1\n10115 Berlin");
    await pages.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved").waitFor();
    for (const theme of ["light", "dark"]) {
      await open(at, { theme });
      await expect
        .poll(() => pages.getByLabel("Invoice numbers begin with").inputValue())
        .toBe("SHOP-DE-");
      await pages.getByLabel("Issuer").scrollIntoViewIfNeeded();
      await expectAccessible();
      await shoot(`marketplace-stock-${theme}`);
    }
    expect(await pages.getByLabel("Units held back").inputValue()).toBe("2");
    expect(await pages.getByLabel("Issuer").inputValue()).toContain("10115 Berlin");
  });

  test("a currency without a channel says what to do", async () => {
    const at = `/marketplaces/${encodeURIComponent(await marketplace("Sweden"))}`;
    await inspect("marketplace-no-channel", at, (pages) =>
      pages.getByText("No channel of the shop has the currency SEK").waitFor(),
    );
  });
});

/** Have staff cancel an order of the account; Amazon's number of it. */
async function cancelOne(name: string): Promise<string> {
  const { amazonAccounts } = await ask<{ amazonAccounts: { id: string; name: string }[] }>(
    "{ amazonAccounts { id name } }",
  );
  const id = amazonAccounts.find((account) => account.name === name)?.id;
  const order = (
    await orders({
      accounts: [id],
      fulfillmentStatus: ["UNSHIPPED"],
      fulfilledBy: "MERCHANT",
      importState: ["IMPORTED"],
    })
  ).find(({ packages, outboxEntries }) => !packages.length && !outboxEntries.length);
  if (!order) throw new Error(`There is no order of ${name} to cancel.`);
  await ask(
    `mutation ($id: ID!) {
      amazonOrderCancel(id: $id, reason: NO_INVENTORY) { errors { message } } }`,
    { id: order.id },
  );
  return order.amazonOrderId;
}

const choose = (label: string, option: string) =>
  frame().getByLabel(label).selectOption({ label: option });

interface Settings {
  id: string;
  name: string;
  channelSlug: string | null;
  isMapped: boolean;
  buyerDataRetentionDays: number;
}

async function allSettings(): Promise<Settings[]> {
  const data = await ask<{ amazonAccounts: { name: string; marketplaces: Settings[] }[] }>(
    `{ amazonAccounts { name marketplaces {
      id name channelSlug isMapped buyerDataRetentionDays } } }`,
  );
  return data.amazonAccounts
    .filter(({ name }) => name.startsWith("Sandbox"))
    .flatMap(({ marketplaces }) => marketplaces);
}

const marketplace = async (name: string) =>
  (await allSettings()).find((each) => each.name === name)?.id ?? "";

const settingsOf = async (id: string) =>
  (await allSettings()).find((each) => each.id === id);
