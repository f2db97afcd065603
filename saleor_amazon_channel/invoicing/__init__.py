"""Invoices of Amazon orders: what is on one, its number, and the file."""
