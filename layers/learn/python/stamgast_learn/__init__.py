"""From features to probabilities that say how good they are: scikit-learn, and models as data."""
