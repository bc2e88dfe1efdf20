"""How much more likely something is because of a treatment: of an experiment with a hold-out.

`trial` (who was treated, and whether that was by chance) → `learners` (the effect on each person)
→ `judged` (Qini and AUUC on people held out) → `run`. This is causal; what is observed is not.
"""
