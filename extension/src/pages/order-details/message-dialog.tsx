import { Button, Text } from "@saleor/macaw-ui";
import { useEffect, useState } from "react";
import { useMutation } from "urql";
import {
  MessagingOfferDocument,
  type MessagingOfferMutation,
  RequestReviewDocument,
  SendMessageDocument,
} from "../../api/generated/graphql";
import { byField, css, FormError, Loading } from "../../components";
import { Dialog } from "../../components/dialog";
import { FileField, SelectField, TextAreaField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import type { Order } from "./order-details";

interface Props {
  order: Order;
  onClose: () => void;
  onDone: () => void;
}

type Offer = NonNullable<
  NonNullable<MessagingOfferMutation["amazonMessagingOfferFetch"]>["offer"]
>;

const FIELDS = ["text", "attachments", "coverageStartDate", "coverageEndDate"];

/** Writes to the buyer through Amazon, in the ways that Amazon offers at this moment. */
export function MessageDialog({ order, onClose, onDone }: Props) {
  const { t } = useText();
  const [{ data, error }, fetchOffer] = useMutation(MessagingOfferDocument);
  useEffect(() => {
    void fetchOffer({ id: order.id });
  }, [fetchOffer, order.id]);
  const answer = data?.amazonMessagingOfferFetch;
  if (answer?.offer) {
    return <Offered order={order} offer={answer.offer} onClose={onClose} onDone={onDone} />;
  }
  const problem = error?.message ?? answer?.errors[0]?.message;
  return (
    <Dialog title={t("message.title")} isBusy onClose={onClose}>
      {problem ? <FormError text={problem} /> : <Loading rows={4} />}
    </Dialog>
  );
}

function Offered({ order, offer, onClose, onDone }: Props & { offer: Offer }) {
  const { t, of, number, language } = useText();
  const [action, setAction] = useState(offer.messages[0]?.action);
  const [text, setText] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const [coverage, setCoverage] = useState({ from: "", to: "" });
  const [sent, send] = useMutation(SendMessageDocument);
  const [asked, ask] = useMutation(RequestReviewDocument);
  const form = offer.messages.find((each) => each.action === action);
  const errors = byField(sent.data?.amazonBuyerMessageSend?.errors ?? [], FIELDS);
  const day = (value: string) => (value ? new Date(value).toISOString() : undefined);

  const onSubmit = async () => {
    if (!form) return;
    const result = await send({
      id: order.id,
      input: {
        action: form.action,
        ...(form.maxTextLength && { text }),
        ...(form.takesAttachments && files.length > 0 && { attachments: files }),
        ...(form.action === "WARRANTY" && {
          coverageStartDate: day(coverage.from),
          coverageEndDate: day(coverage.to),
        }),
      },
    });
    if (result.error || result.data?.amazonBuyerMessageSend?.errors.length) return;
    void notify("success", t("message.queued"));
    onDone();
  };
  const onReview = async () => {
    const result = await ask({ id: order.id });
    if (result.error || result.data?.amazonReviewRequest?.errors.length) return;
    void notify("success", t("message.reviewQueued"));
    onDone();
  };
  return (
    <Dialog
      title={t("message.title")}
      action={form && t("message.send")}
      isBusy={sent.fetching || asked.fetching}
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError
        text={
          sent.error?.message ??
          errors[""] ??
          asked.error?.message ??
          asked.data?.amazonReviewRequest?.errors[0]?.message ??
          undefined
        }
      />
      {form ? (
        <>
          <SelectField
            label={t("message.kind")}
            value={form.action}
            options={offer.messages.map(({ action: value }) => ({
              value,
              label: of("message", value),
            }))}
            onChange={setAction}
          />
          {form.maxTextLength && (
            <TextAreaField
              label={t("message.text")}
              value={text}
              rows={6}
              required
              maxLength={form.maxTextLength}
              onChange={setText}
              error={errors.text}
              help={[
                offer.buyerLocale &&
                  t("message.language", { language: language(offer.buyerLocale) }),
                t("message.rules"),
                t("message.left", { count: number(form.maxTextLength - text.length) }),
              ]
                .filter(Boolean)
                .join(" ")}
            />
          )}
          {form.action === "WARRANTY" && (
            <div className={css.pair}>
              <TextField
                label={t("message.coverageFrom")}
                type="date"
                value={coverage.from}
                onChange={(from) => setCoverage({ ...coverage, from })}
                error={errors.coverageStartDate}
              />
              <TextField
                label={t("message.coverageTo")}
                type="date"
                value={coverage.to}
                onChange={(to) => setCoverage({ ...coverage, to })}
                error={errors.coverageEndDate}
              />
            </div>
          )}
          {form.takesAttachments && (
            <FileField
              label={t("message.files")}
              required={form.needsAttachment}
              onChange={setFiles}
              error={errors.attachments}
              help={t("message.filesHelp")}
            />
          )}
        </>
      ) : (
        <Text as="p" size={3}>
          {t("message.none")}
        </Text>
      )}
      {offer.isReviewRequestOffered && (
        <div className={css.list}>
          <Text as="p" size={3} className={css.muted}>
            {t("message.reviewHelp")}
          </Text>
          <div>
            <Button
              type="button"
              variant="secondary"
              size="small"
              disabled={asked.fetching}
              onClick={onReview}
            >
              {t("message.review")}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}
