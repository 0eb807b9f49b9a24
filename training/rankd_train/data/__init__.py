"""Reading, filtering, splitting and numbering of the data sets."""
