"""Requests about messages to buyers, for the stand-alone shop's schema and Saleor's."""

OFFER = """
mutation ($id: ID!) {
  amazonMessagingOfferFetch(id: $id) {
    offer {
      messages { action maxTextLength takesAttachments needsAttachment }
      buyerLocale
      isReviewRequestOffered
    }
    errors { field code message }
  }
}
"""

SEND = """
mutation ($id: ID!, $input: AmazonBuyerMessageInput!) {
  amazonBuyerMessageSend(id: $id, input: $input) {
    amazonOrder { note }
    outboxEntry { kind state actor buyerMessage { action text fileNames } }
    errors { field code message }
  }
}
"""

REVIEW = """
mutation ($id: ID!) {
  amazonReviewRequest(id: $id) {
    amazonOrder { note }
    outboxEntry { kind state actor buyerMessage { text } }
    errors { field code message }
  }
}
"""
