"""The pages in Saleor Dashboard: what the app declares, and the built files, served."""
