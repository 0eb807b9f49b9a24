"""rankd_train: from public data to a bundle that rankd serves."""
