"""The demo's part that does not depend on the shop: Amazon's side, the job, the report.

``standalone/demo.py`` runs it in the stand-alone shop, ``scripts/demo_saleor.py`` in
real Saleor.
"""
