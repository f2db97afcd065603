"""The hostile month: a month of trade with all that goes wrong, then the audit.

``plan.py`` says what happens when (by a seed number), ``month.py`` lets it happen to
Amazon's sandbox, two workers that are killed at random and the shop's staff,
``judge.py`` compares what Amazon has with what the shop has. Runs in both shops:
``benchmarks/hostile_month.py`` in real Saleor, and
``tests/standalone/test_hostile_month.py``.
"""
