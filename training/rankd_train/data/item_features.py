"""What is known of an item: categories, tags, text, price, and how it was met in training."""

import numpy as np

from rankd_train.data.config import FeatureConfig
from rankd_train.data.feature_columns import Column, codes_of, hot_columns, table_of
from rankd_train.data.features import FeatureTable
from rankd_train.data.interactions import Events, Items
from rankd_train.data.normalise import log1p_of, min_max_of, percentile_of
from rankd_train.data.text_features import text_columns
from rankd_train.data.time_features import DAY, decay, latest


def item_table(items: Items, events: Events, config: FeatureConfig, seed: int) -> FeatureTable:
    count = len(items.ids)
    columns, codes = [], {}
    if items.categories is not None:
        columns += hot_columns("category", items.categories, config.max_categories)
        codes["category"] = codes_of([kinds[0] if kinds else "" for kinds in items.categories], config.max_categories)
    if items.tags is not None:
        columns += hot_columns("tag", items.tags, config.max_tags)
    if items.price is not None:
        price = items.price.astype(np.float64)
        columns.append(Column("price_percentile", "share", price, percentile_of(price)))
    columns += met_columns(events, count, config)
    if items.created is not None:
        created = np.where(items.created == -1, np.nan, items.created.astype(np.float64))
        # The oldest item stands at 0, the newest at 1.
        columns.append(Column("created", "number", created, min_max_of(created)))
    if items.text is not None and config.text_dim:
        columns += text_columns(items.text, config, seed)
    return table_of(count, columns, codes)


def met_columns(events: Events, count: int, config: FeatureConfig) -> list[Column]:
    pairs = np.unique(events.user * count + events.item)
    popularity = np.bincount(pairs % count, minlength=count).astype(np.float64)  # users, as everywhere
    columns = [Column("popularity", "count", popularity, log1p_of(popularity), 0.0)]
    if np.ptp(events.value) > 0:
        number = np.bincount(events.item, minlength=count)
        total = np.bincount(events.item, weights=events.value, minlength=count)
        average = np.divide(total, number, out=np.full(count, np.nan), where=number > 0)
        columns.append(Column("average_value", "number", average, min_max_of(events.value.astype(np.float64))))
    if events.time is not None:
        lately = events.time > events.time.max() - config.trending_days * DAY
        trending = np.bincount(events.item[lately], minlength=count).astype(np.float64)
        columns.append(Column("trending", "count", trending, log1p_of(trending), 0.0))
        last = latest(events, events.item, count)
        columns.append(Column("recency", "number", last, decay(events, config.trending_days), 0.0))
    return columns
