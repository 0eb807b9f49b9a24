"""What is known of a user: attributes, how much, how often and how lately, at which prices, in which categories."""

import numpy as np
import scipy.sparse as sp

from rankd_train.data.config import FeatureConfig
from rankd_train.data.feature_columns import Column, codes_of, hot_columns, table_of
from rankd_train.data.features import Codes, FeatureTable
from rankd_train.data.interactions import Events, Items, Users
from rankd_train.data.normalise import log1p_of, min_max_of, percentile_of
from rankd_train.data.time_features import DAY, cyclic_columns, decay, earliest, latest


def user_table(users: Users, items: Items, events: Events, config: FeatureConfig) -> FeatureTable:
    count = len(users.ids)
    columns, codes = [], {}
    for name, values in users.attributes.items():
        columns += hot_columns(name, [(str(value),) for value in values], config.max_categories)
        codes[name] = codes_of([str(value) for value in values], config.max_categories)
    totals = np.bincount(events.user, minlength=count).astype(np.float64)
    columns.append(Column("events", "count", totals, log1p_of(totals), 0.0))
    if np.ptp(events.value) > 0:
        average = mean_by_user(events, events.value, count)
        columns.append(Column("average_value", "number", average, min_max_of(events.value.astype(np.float64))))
    if items.price is not None:
        price = mean_by_user(events, items.price[events.item], count)
        columns.append(Column("average_price", "share", price, percentile_of(items.price.astype(np.float64))))
    if items.categories is not None:
        main = codes_of([kinds[0] if kinds else "" for kinds in items.categories], config.max_categories)
        met = categories_met(events, main, count)  # (U, 1 + C)
        explored = np.diff(met.indptr).astype(np.float64)
        whole = {"kind": "min-max", "low": 0.0, "high": float(len(main.vocabulary))}
        columns.append(Column("categories_explored", "share", explored, whole, 0.0))
        codes["favourite_category"] = Codes(main.vocabulary, np.asarray(met.argmax(axis=1)).ravel().astype(np.int64))
    if events.time is not None:
        columns += time_columns(events, totals, count, config)
    return table_of(count, columns, codes)


def mean_by_user(events: Events, values: np.ndarray, count: int) -> np.ndarray:
    """[U] mean of the known values [N] of each user's events, NaN without any."""
    known = ~np.isnan(values)
    user = events.user[known]
    number = np.bincount(user, minlength=count)
    total = np.bincount(user, weights=values[known], minlength=count)
    return np.divide(total, number, out=np.full(count, np.nan), where=number > 0)


def categories_met(events: Events, main: Codes, count: int) -> sp.csr_matrix:
    """[U, 1 + C] how many events each user has in each main category; items without one do not count."""
    code = main.codes[events.item]
    known = code > 0
    entries = (np.ones(known.sum()), (events.user[known], code[known]))
    return sp.csr_matrix(entries, shape=(count, 1 + len(main.vocabulary)))


def time_columns(events: Events, totals: np.ndarray, count: int, config: FeatureConfig) -> list[Column]:
    first, last = earliest(events, events.user, count), latest(events, events.user, count)
    frequency = totals / ((last - first) / DAY + 1)  # events a day, from the first one to the last
    return [
        Column("recency", "number", last, decay(events, config.trending_days), 0.0),
        Column("frequency", "count", frequency, log1p_of(frequency), 0.0),
        # The earlier the first event, the nearer to 0: a newcomer stands at 1.
        Column("first_seen", "number", first, min_max_of(first), 1.0),
        *cyclic_columns(events, count),
    ]
