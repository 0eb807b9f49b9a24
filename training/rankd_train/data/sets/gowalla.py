"""Check-ins of Gowalla, cut as NGCF and LightGCN cut them: the split on which graph models are compared."""

import lzma
from pathlib import Path

import numpy as np

from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.loaded import Given
from rankd_train.data.snapshot import FoundSet, KnownFile, KnownSet


def read(found: FoundSet) -> tuple[Interactions, Given]:
    """Users and places are numbers from 0, as the split has them; there are no times and no descriptions."""
    parts = [read_lists(found.folder / name) for name in ("train.txt.xz", "test.txt.xz")]
    user, item = (np.concatenate(columns) for columns in zip(*parts))
    test = np.repeat([False, True], [len(part[0]) for part in parts])
    events = Events(user, item, np.ones(len(user), dtype=np.float32))
    order = events.order()
    users, items = Users(tuple(range(user.max() + 1))), Items(tuple(range(item.max() + 1)))
    return Interactions(users, items, events.where(order)), Given(test[order])


def read_lists(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Lines of `user item item …` as pairs: ([N], [N]) int64."""
    with lzma.open(path, "rt") as file:
        lines = [np.array(line.split(), dtype=np.int64) for line in file]
    users = np.repeat([line[0] for line in lines], [len(line) - 1 for line in lines])
    return users, np.concatenate([line[1:] for line in lines])


SET = KnownSet(
    name="gowalla",
    title="Gowalla check-ins, LightGCN split, 29,858 users x 40,981 places",
    licence="none stated (SNAP loc-gowalla: research use with citation); for internal benchmarks, nothing of it ships",
    how_to_get="""\
LightGCN-PyTorch on GitHub (gusye1234, data/gowalla) has test.txt and, as a sparse matrix, the training part; write both
as lines of `user item item …` (train.txt and test.txt) and compress them with xz.""",
    files={
        "train.txt.xz": KnownFile(1_422_276, "0b73100be11b2ca84951c44d14b825bf3425cb2ac8e8ad9cf9a1088f0b50da1b"),
        "test.txt.xz": KnownFile(537_040, "34fffe44d363ba1149a0c3fc8f9578ba1570c426216b6bc3b2003f7aba9db3bb"),
    },
    read=read,
)
