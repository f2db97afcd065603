import { Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import { BlockersDocument } from "../../api/generated/graphql";
import { css, Notice } from "../../components";
import { useAccounts } from "../../components/accounts";
import { address, Link } from "../../dashboard/router";
import { useText } from "../../i18n";

/** The banner: orders that cannot be imported, where there are any, and of which store. */
export function BlockedSummary() {
  const { t } = useText();
  const [{ data }] = useQuery({ query: BlockersDocument });
  const accounts = useAccounts();
  const causes = data?.amazonBlockers ?? [];
  if (!causes.length) return null;
  const of = (id: string) => causes.filter(({ accountId }) => accountId === id);
  const concerned = accounts.filter(({ id }) => of(id).length);
  const stateOf = (id: string) =>
    of(id).every(({ code }) => code === "NOT_MAPPED") ? "WAITING" : "BLOCKED";
  return (
    <Notice
      tone="critical"
      action={
        <Link className={css.link} to="/blocked">
          {t("blocked.see")}
        </Link>
      }
    >
      <Text as="p" size={3}>
        {t("blocked.banner", { count: causes.length })}
      </Text>
      {concerned.length > 0 && (
        <ul className={css.inlineList} aria-label={t("stores.title")}>
          {concerned.map(({ id, name }) => (
            <li key={id}>
              <Link
                className={css.link}
                to={address("/orders", { state: stateOf(id), account: id })}
              >
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
