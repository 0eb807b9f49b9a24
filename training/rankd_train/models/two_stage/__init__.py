"""The family `two-stage`; `family.py` is read first."""
