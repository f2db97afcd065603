import { Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import { BlockersDocument } from "../../api/generated/graphql";
import { css, Notice } from "../../components";
import { Link } from "../../dashboard/router";
import { useText } from "../../i18n";

/** The banner: orders that cannot be imported, where there are any. */
export function BlockedSummary() {
  const { t } = useText();
  const [{ data }] = useQuery({ query: BlockersDocument });
  const causes = data?.amazonBlockers.length;
  if (!causes) return null;
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
        {t("blocked.banner", { count: causes })}
      </Text>
    </Notice>
  );
}
