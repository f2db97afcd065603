import { Button, Text } from "@saleor/macaw-ui";
import { useMutation, useQuery } from "urql";
import { CompareDocument, ComparisonsDocument } from "../../api/generated/graphql";
import { usePolling } from "../../api/polling";
import { Badge, Card, css, Fields } from "../../components";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";

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
  const onCompare = async () => {
    const result = await compare({ accountId: account.id });
    const message =
      result.error?.message ?? result.data?.amazonReconcile?.errors[0]?.message;
    void notify(message ? "error" : "success", message ?? t("comparison.begun"));
    again();
  };
  return (
    <Card
      title={t("comparison.title", { name: account.name })}
      actions={
        <Button
          variant="secondary"
          size="small"
          disabled={fetching || isUnderWay}
          onClick={onCompare}
        >
          {t("comparison.now")}
        </Button>
      }
    >
      {last ? (
        <div className={css.list}>
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
        </div>
      ) : (
        <Text as="p" size={3} className={css.muted}>
          {t("comparison.none")}
        </Text>
      )}
    </Card>
  );
}
