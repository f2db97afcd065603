"""How many the shop has of what is listed on Amazon: read, compared, to intents."""
