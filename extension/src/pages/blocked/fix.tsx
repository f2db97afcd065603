import type { AmazonBlockerCode } from "../../api/generated/graphql";
import { css } from "../../components";
import { useMay } from "../../dashboard/bridge";
import { address, Link } from "../../dashboard/router";
import { useText } from "../../i18n";

interface Cause {
  code: AmazonBlockerCode;
  subject?: string | null;
  accountId: string;
}

/** Where the cause is put right, if that is here, for who may. */
export function Fix({ cause }: { cause: Cause }) {
  const { t } = useText();
  const maySetUp = useMay("MANAGE_PLUGINS");
  const to =
    cause.code === "UNKNOWN_SKU"
      ? address("/settings/skus", { account: cause.accountId, sku: cause.subject ?? "" })
      : ["NOT_MAPPED", "CHANNEL_MISMATCH"].includes(cause.code)
        ? "/stores"
        : undefined;
  if (!to || !maySetUp) return null;
  return (
    <>
      {" · "}
      <Link className={css.link} to={to}>
        {to === "/stores" ? t("stores.title") : t("skus.new")}
      </Link>
    </>
  );
}
