"""`python -m rankd_train`."""

import sys

from rankd_train.cli import main

sys.exit(main())
