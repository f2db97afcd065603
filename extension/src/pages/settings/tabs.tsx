import type { PropsWithChildren } from "react";
import { css, Page } from "../../components";
import { useAccounts } from "../../components/accounts";
import { SelectField } from "../../components/fields";
import { address, Link, navigate, useRoute } from "../../dashboard/router";
import { type MessageId, useText } from "../../i18n";

const TABS: [string, MessageId][] = [
  ["/settings", "settings.general"],
  ["/settings/skus", "skus.title"],
  ["/settings/carriers", "carriers.title"],
  ["/settings/listings", "listings.title"],
  ["/settings/backfill", "backfill.title"],
  ["/settings/log", "log.title"],
];

/** The pages about the channel as a whole. */
export function SettingsPage({ title, children }: PropsWithChildren<{ title: string }>) {
  const { t } = useText();
  const { path } = useRoute();
  return (
    <Page title={title}>
      <nav className={css.tabs} aria-label={t("nav.settings")}>
        {TABS.map(([to, label]) => (
          <Link key={to} to={to} aria-current={to === path ? "true" : undefined}>
            {t(label)}
          </Link>
        ))}
      </nav>
      {children}
    </Page>
  );
}

/** The account of the address, or the first; and a field to choose another. */
export function useChosenAccount(params: URLSearchParams) {
  const { t } = useText();
  const { path } = useRoute();
  const accounts = useAccounts();
  const id = params.get("account") ?? accounts[0]?.id;
  return {
    id,
    field: accounts.length > 1 && (
      <SelectField
        label={t("filters.account")}
        value={id ?? ""}
        options={accounts.map((each) => ({ value: each.id, label: each.name }))}
        onChange={(account) => navigate(address(path, { account }))}
      />
    ),
  };
}
