/** What the pages say: one catalogue per language, English when a language has none. */
import { type PropsWithChildren, useEffect, useState } from "react";
import { IntlProvider, useIntl } from "react-intl";
import { useBridge } from "../dashboard/bridge";
import { MARKETPLACES } from "../marketplaces";
import en from "./en.json";

export type MessageId = keyof typeof en;
type Values = Record<string, string | number>;

const OTHERS: Record<string, () => Promise<{ default: Record<string, string> }>> = {
  de: () => import("./de.json"),
  sv: () => import("./sv.json"),
};

/** `pt-BR` → `pt`, where only that is there. */
export const catalogueOf = (locale: string) =>
  [locale, locale.split("-")[0] ?? ""].find((name) => name === "en" || name in OTHERS) ??
  "en";

export function Language({ children }: PropsWithChildren) {
  const { locale } = useBridge();
  const wanted = catalogueOf(locale);
  const [loaded, setLoaded] = useState({
    name: "en",
    messages: en as Record<string, string>,
  });
  useEffect(() => {
    let isCurrent = true;
    const load = OTHERS[wanted]?.() ?? Promise.resolve({ default: en });
    void load.then(({ default: messages }) => {
      if (!isCurrent) return;
      setLoaded({ name: wanted, messages });
      document.documentElement.lang = wanted;
    });
    return () => {
      isCurrent = false;
    };
  }, [wanted]);
  // Dates and numbers are in the user's own locale, also where the words are not.
  return (
    <IntlProvider locale={locale} messages={loaded.messages} onError={ignoreNoLocaleData}>
      {children}
    </IntlProvider>
  );
}

function ignoreNoLocaleData(error: { code: string }) {
  if (error.code !== "MISSING_DATA") console.error(error);
}

export function useText() {
  const intl = useIntl();
  const country = (code: string) =>
    intl.formatDisplayName(code, { type: "region" }) ?? code;
  return {
    t: (id: MessageId, values?: Values) => intl.formatMessage({ id }, values),
    /** The text of a code that the API may extend; the code itself where there is none. */
    of: (kind: string, code: string) => {
      const id = `${kind}.${code}`;
      return id in en ? intl.formatMessage({ id }) : code;
    },
    money: (money?: { amount: number; currency: string } | null) =>
      money
        ? intl.formatNumber(money.amount, { style: "currency", currency: money.currency })
        : "–",
    date: (value?: string | null) =>
      value ? intl.formatDate(value, { dateStyle: "medium" }) : "–",
    /** Of a date that has no time, and so no time zone. */
    day: (value: string) =>
      intl.formatDate(value, { month: "short", day: "numeric", timeZone: "UTC" }),
    time: (value?: string | null) =>
      value ? intl.formatDate(value, { dateStyle: "medium", timeStyle: "short" }) : "–",
    /** With its time zone: a deadline is to be clear. */
    deadline: (value?: string | null) =>
      value
        ? intl.formatDate(value, {
            month: "short",
            day: "numeric",
            hour: "numeric",
            minute: "2-digit",
            timeZoneName: "short",
          })
        : "–",
    number: (value: number) => intl.formatNumber(value),
    language: (code: string) => intl.formatDisplayName(code, { type: "language" }) ?? code,
    country,
    /** By its country; nothing for one that is not known. */
    marketplace: (id: string) => {
      const found = MARKETPLACES.find(([each]) => each === id);
      return found && country(found[1]);
    },
  };
}
