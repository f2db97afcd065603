import { renderToStaticMarkup } from "react-dom/server";
import { IntlProvider } from "react-intl";
import { expect, test } from "vitest";
import de from "./de.json";
import en from "./en.json";
import { useTold } from "./told";

type Words = ReturnType<typeof useTold>;

const told = (locale: string, of: (words: Words) => string | null | undefined) => {
  const Said = () => <>{of(useTold())}</>;
  const messages = locale === "de" ? de : en;
  return renderToStaticMarkup(
    <IntlProvider locale={locale} messages={messages} onError={() => undefined}>
      <Said />
    </IntlProvider>,
  );
};

const message = "What the server says.";
const euros = (amount: number) => ({ amount, currency: "EUR" });

test.each([
  ["en", { code: "UNKNOWN_SKU", subject: "CUP-1" }, "no product variant for the SKU CUP-1"],
  [
    "de",
    { code: "UNKNOWN_SKU", subject: "CUP-1" },
    "keine Produktvariante für die SKU CUP-1",
  ],
  ["de", { code: "BAD_ADDRESS", subject: "city" }, "nicht verwenden: Ort."],
  ["de", { code: "BAD_ADDRESS", subject: "deliveryAddress" }, "keine Lieferadresse"],
  ["en", { code: "INTERNAL", subject: "" }, "failed unexpectedly"],
  ["en", { code: "INTERNAL", subject: "77" }, "Order 77 of the shop"],
  ["en", { code: "UNREADABLE", subject: "A.b" }, "cannot be read: A.b."],
  ["en", { code: "NEW_CODE", subject: "x" }, message],
])("in %s a blocker %o is told", (locale, blocker, expected) => {
  expect(told(locale, (words) => words.blocker({ ...blocker, message }))).toContain(
    expected,
  );
});

test("amounts that differ are told as the user's locale writes them", () => {
  const said = told("de", (words) =>
    words.blocker({
      code: "AMOUNTS_DIFFER",
      subject: "grandTotal",
      message,
      calculated: euros(1234.5),
      stated: euros(1234.51),
      difference: euros(0.01),
    }),
  ).replace(/\s/g, " ");
  expect(said).toContain("Bestellung ergeben 1.234,50 €, Amazon nennt 1.234,51 €: 0,01 €");
});

test.each([
  ["imported", "In den Shop importiert"],
  ["confirm_shipment_succeeded", "Versand: Angenommen"],
  ["refund_retried", "Erstattung: Erneut versucht"],
  ["something_new", ""],
  ["something_failed", ""],
])("the timeline's type %s has the title %s", (type, title) => {
  expect(told("de", (words) => words.event(type))).toBe(title);
});

test("a refusal is told in English, and in other words before it elsewhere", () => {
  const error = { code: "NOT_OFFERED", message };
  expect(told("en", (words) => words.refusal(error))).toBe(message);
  expect(told("de", (words) => words.refusal(error))).toBe(
    `${de["error.NOT_OFFERED"]} (${message})`,
  );
  expect(told("de", (words) => words.refusal(undefined))).toBe("");
});
