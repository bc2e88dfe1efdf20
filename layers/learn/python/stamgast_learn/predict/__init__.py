"""Predictions about people, and how far each can be believed.

The data's way: `panel` (what was known at each cut-off, and what came) → `predictor` (a calibrated
model of it) → `backtest` (the same procedure on past cut-offs, judged by later ones) → `judgement`
(metrics with intervals beside baselines) → `honesty` (what makes it abstain) → `scores` (people,
now).
"""
