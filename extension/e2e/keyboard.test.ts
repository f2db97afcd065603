/** Everything without a mouse. */
import { describe, expect, test } from "vitest";
import { dashboardPath, frame, open, orders, page, useBrowser } from "./browser";

useBrowser();

const focused = () =>
  frame()
    .locator("html")
    .evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });

/** Tab until something of that name has the focus. */
async function tabTo(name: string | RegExp) {
  for (let presses = 0; presses < 60; presses++) {
    const text = (await focused()).trim();
    if (typeof name === "string" ? text === name : name.test(text)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Nothing called ${name} gets the focus.`);
}

describe("by keyboard", () => {
  test("orders are filtered, sorted and opened", async () => {
    const pages = await open("/orders");
    await pages.locator("tbody tr").first().waitFor();
    await pages.locator("h1").focus();
    await tabTo("Filters");
    await page.keyboard.press("Enter");
    await pages.locator("#filters").waitFor();
    await tabTo("Views");
    await tabTo("Columns");
    await page.keyboard.press("Tab");
    // The first box of the panel: Waiting.
    await page.keyboard.press("Space");
    await expect.poll(dashboardPath).toBe("app:/orders?state=WAITING");
    await tabTo("Total");
    await page.keyboard.press("Enter");
    await expect.poll(dashboardPath).toBe("app:/orders?state=WAITING&sort=-TOTAL");
    const number = await pages.locator("tbody th").first().innerText();
    await tabTo(number);
    await page.keyboard.press("Enter");
    await pages.getByRole("heading", { name: number }).waitFor();
    // What is read next is the new page, from its beginning.
    await expect.poll(focused).toBe(number);
  });

  test("a menu closes with Escape, and the focus goes back to its button", async () => {
    const pages = await open("/orders");
    await pages.locator("tbody tr").first().waitFor();
    await pages.locator("h1").focus();
    await tabTo("Columns");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    expect(await pages.getByRole("checkbox", { name: "Buyer" }).count()).toBe(0);
    expect(await focused()).toBe("Columns");
  });

  test("a dialog keeps the focus, and gives it back", async () => {
    const [order] = await orders({
      importState: ["IMPORTED"],
      fulfillmentStatus: ["UNSHIPPED"],
      fulfilledBy: "MERCHANT",
    });
    const pages = await open(`/orders/${order?.amazonOrderId}`);
    await pages.getByRole("button", { name: "Message the buyer" }).waitFor();
    await pages.locator("h1").focus();
    await tabTo("Message the buyer");
    await page.keyboard.press("Enter");
    const dialog = pages.getByRole("dialog", { name: "Message the buyer" });
    await dialog.getByLabel("Kind of message").waitFor();
    for (let presses = 0; presses < 8; presses++) {
      await page.keyboard.press("Tab");
      expect(await dialog.locator(":focus").count()).toBe(1);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await expect.poll(focused).toBe("Message the buyer");
  });
});
