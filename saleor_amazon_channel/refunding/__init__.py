"""Refunds that staff ask for in the shop: what they give, and the intents they are."""
