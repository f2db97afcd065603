import { Button, Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation, useQuery } from "urql";
import { CompareDocument, ComparisonsDocument } from "../../api/generated/graphql";
import { usePolling } from "../../api/polling";
import { Badge, Card, css, Fields } from "../../components";
import { SelectField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";

/** As every day, and the most that the API takes. */
const DAYS = ["3", "10", "30"];

interface Props {
  account: { id: string; name: string };
}

/** The latest comparison of what Amazon has with what is here. */
export function Comparison({ account }: Props) {
  const { t, time } = useText();
  const [{ data }, refetch] = useQuery({
    query: ComparisonsDocument,
    variables: { accountId: account.id },
  });
  const [{ fetching }, compare] = useMutation(CompareDocument);
  const last = data?.amazonReconciliations[0];
  const isUnderWay = Boolean(last && !last.finishedAt);
  const again = () => refetch({ requestPolicy: "network-only" });
  usePolling(isUnderWay, again);
  const [days, setDays] = useState("3");
  const onCompare = async () => {
    const result = await compare({ accountId: account.id, days: Number(days) });
    const message =
      result.error?.message ?? result.data?.amazonReconcile?.errors[0]?.message;
    void notify(message ? "error" : "success", message ?? t("comparison.begun"));
    again();
  };
  return (
    <Card title={t("comparison.title", { name: account.name })}>
      <div className={css.list}>
        {last ? (
          <>
            <div>
              {isUnderWay ? (
                <Badge tone="busy">{t("comparison.underWay")}</Badge>
              ) : (
                <Badge tone={last.isClean ? "good" : "bad"}>
                  {t(last.isClean ? "comparison.clean" : "comparison.found")}
                </Badge>
              )}
            </div>
            <Text as="p" size={3}>
              {last.summary}
            </Text>
            <Fields
              rows={[
                [t("backfill.begun"), time(last.startedAt)],
                [t("backfill.ended"), last.finishedAt && time(last.finishedAt)],
              ]}
            />
          </>
        ) : (
          <Text as="p" size={3} className={css.muted}>
            {t("comparison.none")}
          </Text>
        )}
        <div className={css.inlineForm}>
          <SelectField
            label={t("order.updated")}
            value={days}
            options={DAYS.map((value) => ({
              value,
              label: t("sales.period", { days: Number(value) }),
            }))}
            onChange={setDays}
          />
          <Button variant="secondary" disabled={fetching || isUnderWay} onClick={onCompare}>
            {t("comparison.now")}
          </Button>
        </div>
      </div>
    </Card>
  );
}
