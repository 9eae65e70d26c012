"""The largest numbers that a file or an option may ask for: anything above is a typing error.

Above them a search would fill the memory, or never end, before anything is trained.
"""

import os

MAX_EPOCHS = 100_000
# Of a search, where they are counted; of one configuration's runs, and of configurations.
MAX_TRIALS, MAX_RUNS = 100_000, 1_000
# On this machine, and on a cluster.
MAX_WORKERS, MAX_ACTORS = max(16, 4 * (os.cpu_count() or 1)), 10_000
# In times of what the baseline costs.
MAX_COST = 1e6
# Four years.
MAX_HOURS = 35_000
