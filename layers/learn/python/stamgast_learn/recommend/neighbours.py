"""Items that are bought by the same people: cosines, drawn to nothing where few people say so.

Sarwar et al. (2001), Item-based collaborative filtering; the shrinkage is that of Bell and Koren
(2007), Scalable collaborative filtering, section 2.2.
"""

import numpy as np
from scipy.sparse import csr_array

from stamgast_learn.recommend.known import Known

NEIGHBOURS = 100
SHRINKAGE = 10.0
AT_ONCE = 1_000


def similarities(known: Known) -> csr_array:
    """The cosine of offered items (items, items): the 100 nearest others of each."""
    pattern = known.matrix(known.offered[known.item].astype(np.float64))
    pattern.eliminate_zeros()
    by_item = pattern.T.tocsr()
    buyers = np.maximum(np.asarray(pattern.sum(axis=0)).ravel(), 1.0)
    parts = [
        _nearest(by_item[start : start + AT_ONCE] @ pattern, start, buyers)
        for start in range(0, by_item.shape[0], AT_ONCE)
    ]
    rows, columns, values = (np.concatenate(one) for one in zip(*parts, strict=True))
    return csr_array((values, (rows, columns)), shape=(len(buyers), len(buyers)))


def _nearest(together: csr_array, start: int, buyers: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows, columns and values of the nearest neighbours of some items."""
    counts = together.tocoo()
    row, column, both = counts.row + start, counts.col, counts.data
    is_other = row != column
    row, column, both = row[is_other], column[is_other], both[is_other]
    cosine = both / np.sqrt(buyers[row] * buyers[column]) * both / (both + SHRINKAGE)
    order = np.lexsort((column, -cosine, row))
    row, column, cosine = row[order], column[order], cosine[order]
    place = np.arange(len(row)) - np.searchsorted(row, row, side="left")
    near = place < NEIGHBOURS
    return row[near], column[near], cosine[near]
