import { describe, expect, test } from "vitest";
import {
  type AnOrder,
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

const rows = () => frame().locator("tbody tr");

describe("what Amazon is told", () => {
  test("is listed with its state, what it says, and where it belongs", async () => {
    await inspect("outbox", "/outbox", (pages) =>
      pages.locator("tbody tr").first().waitFor(),
    );
    await rows().getByText("Accepted").first().waitFor();
    await frame().locator("tbody th a").first().click();
    await frame().getByRole("heading", { name: "Timeline" }).waitFor();
    expect(dashboardPath()).toMatch(/^app:\/orders\/[\d-]+\?tab=activity$/);
  });

  test("is filtered by state and kind", async () => {
    const pages = await open("/outbox?kind=CONFIRM_SHIPMENT&state=SUCCEEDED");
    await rows().first().waitFor();
    for (const text of await rows().locator("td:nth-child(3)").allInnerTexts())
      expect(text).toMatch(/^Shipment/);
    await pages.getByLabel("Status").selectOption("Failed");
    await pages.getByText("Nothing fits").waitFor();
    await expect.poll(dashboardPath).toBe("app:/outbox?state=FAILED&kind=CONFIRM_SHIPMENT");
    await inspect("outbox-none", "/outbox?state=FAILED&kind=STOCK", (again) =>
      again.getByText("Nothing fits").waitFor(),
    );
  });

  test("waits while its account is paused, and is discarded or sent", async () => {
    const [one, other] = await ofAccount("Sandbox EU");
    if (!one || !other) throw new Error("There are no two orders to cancel.");
    await pause("Sandbox EU", true);
    for (const { id } of [one, other]) await cancel(id);

    await inspect("outbox-waiting", "/outbox?state=PENDING", async (pages) => {
      await pages.getByText("What is to be sent by Sandbox EU waits").waitFor();
      await pages.getByText("Cancel the order: NoInventory.").first().waitFor();
    });
    await narrow(() =>
      inspect(
        "outbox-narrow-german",
        "/outbox?state=PENDING",
        (pages) => pages.getByText("Zu senden").last().waitFor(),
        { locale: "de" },
      ),
    );
    const pages = await open("/outbox?state=PENDING");
    const choose = (order: AnOrder) =>
      pages
        .getByRole("checkbox", { name: `Cancellation of order ${order.amazonOrderId}` })
        .check();

    const all = pages.getByRole("checkbox", { name: "Choose all of this page" });
    await all.check();
    const boxes = rows().getByRole("checkbox");
    expect(await boxes.count()).toBeGreaterThan(1);
    for (const box of await boxes.all()) expect(await box.isChecked()).toBe(true);
    await all.uncheck();
    for (const box of await boxes.all()) expect(await box.isChecked()).toBe(false);

    await pages.getByLabel("Seller account").selectOption({ label: "Sandbox FE" });
    await pages.getByText("Nothing fits").waitFor();
    await pages.getByLabel("Seller account").selectOption({ label: "Sandbox EU" });

    await choose(one);
    await pages.getByRole("button", { name: "Discard" }).click();
    const dialog = pages.getByRole("dialog", { name: "Discard 1 entry?" });
    await dialog.waitFor();
    await expectAccessible();
    await shoot("outbox-discard");
    await dialog.getByRole("button", { name: "Discard" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("It is not sent.").waitFor();
    await expect.poll(() => stateOf(one)).toEqual(["FAILED"]);

    await choose(other);
    await pages.getByRole("button", { name: "Try again" }).click();
    const again = pages.getByRole("dialog", { name: "Try 1 entry again?" });
    await again.getByRole("button", { name: "Try again" }).click();
    await again.waitFor({ state: "detached" });
    await pause("Sandbox EU", false);
    const states = async () => String(await stateOf(other));
    await expect.poll(states, { timeout: 40_000 }).toMatch(/SUBMITTED|SUCCEEDED/);
  });
});

async function accountOf(name: string): Promise<string> {
  const data = await ask<{ amazonAccounts: { id: string; name: string }[] }>(
    "{ amazonAccounts { id name } }",
  );
  return data.amazonAccounts.find((account) => account.name === name)?.id ?? "";
}

/** Orders of an account that can still be cancelled. */
async function ofAccount(name: string): Promise<AnOrder[]> {
  const found = await orders({
    accounts: [await accountOf(name)],
    importState: ["IMPORTED"],
    fulfillmentStatus: ["UNSHIPPED"],
    fulfilledBy: "MERCHANT",
  });
  return found.filter(({ packages, outboxEntries }) =>
    [packages, outboxEntries].every(({ length }) => length === 0),
  );
}

async function pause(name: string, isPaused: boolean) {
  await ask(
    `mutation ($id: ID!, $isPaused: Boolean!) {
      amazonAccountUpdate(id: $id, input: { isPaused: $isPaused }) { errors { message } } }`,
    { id: await accountOf(name), isPaused },
  );
}

const cancel = (id: string) =>
  ask(
    `mutation ($id: ID!) {
      amazonOrderCancel(id: $id, reason: NO_INVENTORY) { errors { message } } }`,
    { id },
  );

async function stateOf(order: AnOrder) {
  const [found] = await orders({ amazonOrderIds: [order.amazonOrderId] });
  return found?.outboxEntries.map(({ state }) => state);
}
